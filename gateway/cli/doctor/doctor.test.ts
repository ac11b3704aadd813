import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOtlpReceiver } from "../../../tests/otlp-receiver";
import type { Result, Status } from "./check";
import { findCpu } from "./machine";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "groundwire-doctor-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const doctor = async (env: Record<string, string>) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../doctor.ts"), "--json"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      GROUNDWIRE_DATA_DIR: join(folder, "data"),
      GROUNDWIRE_MODELS_DIR: join(folder, "models"),
      ...env,
    },
  });
  const report = (await child.stdout.json()) as { status: Status; checks: Result[] };
  return {
    report,
    exitCode: await child.exited,
    find: (name: string) => report.checks.find((each) => each.name === name),
  };
};

test("every finding that didn't pass has a remedy, and the exit code is that of the worst one", async () => {
  const { report, exitCode, find } = await doctor({
    GROUNDWIRE_NODES: "http://127.0.0.1:1",
    REDIS_URL: "redis://127.0.0.1:1",
  });
  expect([report.status, exitCode]).toEqual(["failed", 2]);
  expect(find("nodes")?.status).toBe("failed");
  expect(find("cpu")?.message).toMatch(/^\d+ cores?/);
  expect(find("redis")?.status).toBe("failed");
  expect(find("model")).toMatchObject({ status: "warning", remedy: "bun run models pull" });
  for (const result of report.checks) if (result.status !== "passed") expect(result.remedy.length).toBeGreaterThan(0);
});

test("a configured port that another program uses fails; a default port moves to the next one", async () => {
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void socket.end(), data() {} },
  });
  const { find } = await doctor({ GROUNDWIRE_PORT: String(listener.port) });
  listener.stop(true);
  expect(find("gateway-port")?.status).toBe("failed");
});

test("a collector that rejects its headers is a warning", async () => {
  const receiver = startOtlpReceiver();
  const traces = async (status: number) => {
    receiver.state.status = status;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b" };
    return (await doctor(env)).find("traces");
  };
  expect(await traces(200)).toMatchObject({ status: "passed", message: expect.stringContaining("accepts traces") });
  expect(await traces(401)).toMatchObject({ status: "warning", remedy: "Fix OTEL_EXPORTER_OTLP_HEADERS" });
  expect(receiver.state.requests[0]?.headers.get("x-key")).toBe("a b");
  await receiver.close();
});

test("a model file with the wrong content fails", async () => {
  const name = "SmolLM2-135M-Instruct.Q4_1.gguf";
  await Bun.write(join(folder, "models", name), "not a model");
  const { find } = await doctor({});
  expect(find("model")).toMatchObject({ status: "failed", message: expect.stringContaining("wrong sha256") });
});

test.each<[arch: string, cpuInfo: string, status: Status, message: string]>([
  ["x64", "processor\t: 0\nflags\t\t: fpu avx avx2 bmi2\nbugs\t\t:\n", "passed", "4 cores with AVX2"],
  [
    "x64",
    "flags\t\t: fpu avx bmi2\n",
    "warning",
    "4 cores without AVX2; models that run on this CPU are several times",
  ],
  ["x64", "flags\t\t: fpu avx avx2_not\n", "warning", "4 cores without AVX2"],
  ["x64", "", "passed", "4 cores; this system does not report CPU features"],
  ["arm64", "Features\t: fp asimd\n", "passed", "4 cores, arm64"],
])("the CPU features of %s with %j: %s", (arch, cpuInfo, status, message) => {
  expect(findCpu(4, arch, cpuInfo)).toMatchObject({ status, message: expect.stringContaining(message) });
});

test("invalid settings are listed, and no other check runs", async () => {
  const { report, exitCode } = await doctor({ GROUNDWIRE_PROT: "1" });
  expect([report.checks.length, report.checks[0]?.name, exitCode]).toEqual([1, "settings", 2]);
  expect(report.checks[0]?.message).toContain("GROUNDWIRE_PORT");
});

test("a damaged database fails", async () => {
  const data = join(folder, "damaged");
  await Bun.write(join(data, "groundwire.db"), "");
  writeFileSync(join(data, "groundwire.db"), `SQLite format 3\0${"x".repeat(8192)}`);
  const { find } = await doctor({ GROUNDWIRE_DATA_DIR: data });
  expect(find("database")?.status).toBe("failed");
});
