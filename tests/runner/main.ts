import { join } from "node:path";
import { notImplementedRoutes } from "../../gateway/http/not-implemented";
import type { ModelKind } from "../../gpu-node/models/catalogue";
import { ensureModel } from "../../gpu-node/models/download";
import { runCommand } from "../../lib/command";
import { AppError, toAppError } from "../../lib/errors";
import { drawProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import { findGroups, type Group } from "./groups";
import { provide } from "./requirements";
import { runFiles } from "./run-group";
import { exitCodeOf, finalLine, skipGroup, sum, type Tally, tallyGroup } from "./tally";

const ROOT = join(import.meta.dir, "../..");
const HELP = `Installs what the tests need and runs them: static, unit, contract, redis, end-to-end, browser.

  bun run test              every group
  bun run test unit redis   the groups whose names begin with unit or redis

  --screenshots      takes a picture of every screen in the browser tests, and puts them on one page
  --update-timings   stores each file's duration in tests/runner/timings.json, so that the slowest files start first`;
const TIMINGS = join(import.meta.dir, "timings.json");

const heading = (text: string) => console.log(`\n=== ${text} ===`);
const seconds = (sinceMs: number) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/** Why a group can't run on this machine; undefined if it can. */
const findObstacle = async (group: Group): Promise<string | undefined> => {
  for (const requirement of group.needs) {
    const reason = await provide(requirement);
    if (reason) return reason;
  }
  return undefined;
};

const runGroup = async (group: Group, updatesTimings: boolean): Promise<{ tally: Tally; note?: string }> => {
  heading(`${group.name}: ${group.files.length} files`);
  const obstacle = await findObstacle(group);
  if (obstacle) {
    const note = `skipped: ${group.name} (${group.files.length} files): ${obstacle}`;
    console.log(note);
    return { tally: skipGroup(group.files), note };
  }
  const startedAt = performance.now();
  const tally = tallyGroup(
    await runFiles(group.files, { cwd: ROOT, timeoutMs: group.timeoutMs, timingsFile: TIMINGS, updatesTimings }),
  );
  if (group.after && process.env.SCREENSHOTS)
    await Bun.spawn([process.execPath, group.after], { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] }).exited;
  console.log(`\n${group.name}: ${finalLine(tally)} in ${seconds(startedAt)}`);
  return { tally };
};

/** Downloads a default model for all tests. If that fails, it counts as one failure and the other tests still run. */
const fetchModel = async (kind: ModelKind): Promise<Tally> => {
  const { models } = loadConfig();
  heading(`model: ${models[kind]}`);
  try {
    console.log((await ensureModel(kind, { models }, drawProgress(process.stdout))).path);
    return sum([]);
  } catch (error) {
    return { ...sum([]), failed: 1, failures: [`the model ${models[kind]}: ${toAppError(error).message}`] };
  }
};

/** Prints the API routes that are not implemented yet. */
const printNotImplemented = async (): Promise<void> => {
  await import("../../gateway/app");
  const routes = [...notImplementedRoutes].sort();
  if (routes.length === 0) return;
  heading(`${routes.length} routes return 501 not_implemented`);
  for (const route of routes) console.log(route);
};

await runCommand(
  HELP,
  { screenshots: { type: "boolean", default: false }, "update-timings": { type: "boolean", default: false } },
  async ({ positionals, values }) => {
    const startedAt = performance.now();
    const all = await findGroups(ROOT);
    const unknown = positionals.find((prefix) => !all.some(({ name }) => name.startsWith(prefix)));
    if (unknown !== undefined) {
      const names = all.map(({ name }) => name).join(", ");
      throw new AppError("invalid_request", `Unknown test group "${unknown}". Groups: ${names}.`);
    }
    const groups = all.filter(
      ({ name }) => positionals.length === 0 || positionals.some((prefix) => name.startsWith(prefix)),
    );
    const models: Tally[] = [];
    if (groups.some(({ name }) => name !== "static")) {
      for (const kind of ["chat", "embedding"] as const) models.push(await fetchModel(kind));
    }
    const results: Awaited<ReturnType<typeof runGroup>>[] = [];
    if (values.screenshots) process.env.SCREENSHOTS = "1";
    for (const group of groups) results.push(await runGroup(group, values["update-timings"]));
    const total = sum([...models, ...results.map(({ tally }) => tally)]);

    await printNotImplemented();
    heading(`summary after ${seconds(startedAt)}`);
    for (const { note } of results) if (note) console.log(note);
    for (const failure of total.failures) console.log(`failed: ${failure}`);
    console.log(finalLine(total));
    return exitCodeOf(total);
  },
  { takesArguments: true },
);
