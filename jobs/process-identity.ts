import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Identifies a process, even if another process gets the same number later. */
export interface ProcessIdentity {
  /** Machine, boot and process namespace: within one, process numbers are unique. */
  host: string;
  /** Number and, where the system shows it, start time. */
  process: string;
}

export const ownIdentity = (): ProcessIdentity => ({
  host: host(),
  process: describe(process.pid) ?? `${process.pid}`,
});

/** True if `other` ran on this host and has ended; false if it is still running or ran on another host. */
export const isGone = (other: ProcessIdentity): boolean => {
  if (other.host !== host()) return false;
  const pid = Number(other.process.split(" ")[0]);
  return isAlive(pid) ? describe(pid) !== undefined && describe(pid) !== other.process : true;
};

const host = (): string => {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
};

/** "4711 123456": number and start in clock ticks since boot (field 22 of proc(5)'s stat). */
const describe = (pid: number): string | undefined => {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return `${pid} ${afterName[19]}`;
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};
