import { residentMib } from "../bench/processes";

const LOOK_MS = 10;

/** Watches the memory of processes. Calling the result stops watching and returns each process's peak growth in MiB. */
export const watchGrowth = (pids: readonly number[]): (() => number[]) => {
  const before = pids.map(residentMib);
  const most = [...before];
  const look = () => {
    for (const [index, pid] of pids.entries()) most[index] = Math.max(most[index] ?? 0, residentMib(pid));
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    look();
    return most.map((mib, index) => mib - (before[index] ?? 0));
  };
};
