import dgram from "node:dgram";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ServerProcess, Stack } from "../harness";
import { until } from "../until";
import { chat, countOutcomes, type Ending, isComplete, isHonest } from "./chat-ending";
import { checkStore, evaluate, isIntact } from "./store-client";
import { endAsNotRun } from "./tools";
import { uploadQuestions } from "./upload-questions";

/**
 * The gateway reaches its node by host name, and the DNS server fails: it answers that the name doesn't exist or that
 * it has failed, or it doesn't answer. Then the node restarts, so that the gateway must resolve the name again:
 * `bun run faults dns-gone`, `bun tests/faults/dns-gone.ts 3 SERVFAIL` for three rounds of one failure.
 *
 * Open connections must continue to work. Without one, every request must be rejected within the limit, with a
 * `retry-after`, and the node's error must mention DNS. Evaluations of stored answers must be acknowledged and stored, a
 * running batch evaluation must end without errors, and everything must recover by itself.
 *
 * The gateway has its own /etc/resolv.conf in a mount namespace, with this script as its DNS server. Needs root.
 */

const FAILURES = ["NXDOMAIN", "SERVFAIL", "silence"] as const;
const ROUNDS = Number(process.argv[2] ?? 2);
const NAME = "gpu.groundwire.test";
/** Only this script uses this loopback address. */
const SERVER = "127.0.0.99";
const SAMPLES = 40;
/** A connection attempt may take 2 s, and the machine may be busy. */
const MAX_MS = 5000;
const MAX_RECOVERY_MS = 95_000;

type Mode = "answers" | (typeof FAILURES)[number];
let mode: Mode = "answers";

/** Answers with 127.0.0.1 for IPv4, and without an address for IPv6. */
const answerTo = (query: Buffer): Buffer | undefined => {
  if (mode === "silence") return undefined;
  const questionEnd = query.indexOf(0, 12) + 5;
  const isIpv4 = query.readUInt16BE(questionEnd - 4) === 1;
  const hasAddress = mode === "answers" && isIpv4;
  const head = Buffer.from(query.subarray(0, questionEnd));
  head.writeUInt16BE(mode === "NXDOMAIN" ? 0x8183 : mode === "SERVFAIL" ? 0x8182 : 0x8180, 2);
  head.writeUInt16BE(hasAddress ? 1 : 0, 6);
  head.fill(0, 8, 12);
  // A pointer to the question's name, type A, class IN, valid for a second, four bytes.
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
  return hasAddress ? Buffer.concat([head, record]) : head;
};
const server = dgram.createSocket("udp4");
server.on("message", (query, peer) => {
  const answer = answerTo(query);
  if (answer) server.send(answer, peer.port, peer.address);
});
const isBound = await new Promise<boolean>((resolve) => {
  server.once("error", () => resolve(false));
  server.bind(53, SERVER, () => resolve(true));
});
const canUnshare = Bun.spawnSync(["unshare", "--mount", "true"]).success;
if (!isBound || !canUnshare) endAsNotRun("it needs root for a DNS server and a mount namespace");

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const stack = await Stack.start({
  engine: "synthetic",
  workers: 1,
  env: {
    GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: "20",
    GROUNDWIRE_SYNTHETIC_TOKENS: "30",
    GROUNDWIRE_CACHE: "false",
  },
});
const json = async (path: string, init?: Parameters<Stack["fetch"]>[1]): Promise<Json> =>
  (await stack.fetch(path, init)).json();

/** Restarts the gateway in a mount namespace, with this script as its DNS server. */
const moveGateway = async (): Promise<void> => {
  const file = join(stack.folder, "resolv.conf");
  await writeFile(file, `nameserver ${SERVER}\n`);
  await stack.gateway.stop();
  // Otherwise, disks of scripts that run at the same time would stay mounted in the namespace.
  const free = "awk '/groundwire-/ {print $2}' /proc/self/mounts | xargs --no-run-if-empty umount --lazy";
  const mount = `${free}; mount --bind ${file} /etc/resolv.conf && exec "$@"`;
  const settings = { ...stack.settings, GROUNDWIRE_NODES: `http://${NAME}:${new URL(stack.nodeUrl).port}` };
  const wrapper = ["unshare", "--mount", "sh", "-c", mount, "sh"];
  stack.gateway = new ServerProcess("gateway/main.ts", settings, stack.folder, wrapper);
  await stack.gateway.ready(`${stack.url}/readyz`);
};

const fail = async (how: Mode): Promise<boolean> => {
  const acknowledged: string[] = [];
  const endings: Ending[] = [];
  const wrong: string[] = [];
  let [recoveredMs, errors] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const body = { dataset: "numbers", target: { kind: "chat" }, evaluators: ["exact@1"], seed: round };
    const run = await json("/v1/batch-evals", { body });
    const progress = async (): Promise<Json> => json(`/v1/batch-evals/${run.id}`);
    await until("the run has results", async () => (await progress()).progress.done > 0);

    const running = Array.from({ length: 4 }, () => chat(stack, { stream: true }));
    mode = how;
    // The open connections still work.
    for (const ending of await Promise.all([...running, chat(stack)])) {
      if (!isComplete(ending)) wrong.push(`while connected: ${ending.status} ${ending.text.slice(-200)}`);
    }
    await stack.node.stop();
    await stack.restartNode();
    for (let n = 0; n < 8; n++) {
      endings.push(await chat(stack, { stream: n % 2 === 0 }));
      const { id, status } = await evaluate(stack);
      if (id) acknowledged.push(id);
      else wrong.push(`an evaluation of a stored answer got ${status}`);
      await Bun.sleep(100);
    }
    const lastError = async (): Promise<string> => (await json("/v1/nodes")).data[0]?.last_error ?? "";
    const namesDns = async () => (await lastError()).includes("DNS");
    await until("the node's error mentions DNS", namesDns, 10_000).catch(async () => wrong.push(await lastError()));

    mode = "answers";
    const answeredAt = performance.now();
    const hasRecovered = async () => isComplete(await chat(stack));
    await until("requests succeed again", hasRecovered, MAX_RECOVERY_MS).catch(() => wrong.push("no recovery"));
    recoveredMs = Math.max(recoveredMs, performance.now() - answeredAt);
    await until("the run ends", async () => (await progress()).ended_at !== null, MAX_RECOVERY_MS);
    const { state, progress: done } = await progress();
    errors += done.errors;
    if (state !== "completed" || done.done !== SAMPLES) wrong.push(`the run is ${state} with ${done.done} results`);
  }
  for (const ending of endings.filter((one) => isComplete(one) || !isHonest(one))) {
    wrong.push(`without DNS: ${ending.status} ${ending.text.slice(-200)}`);
  }
  const store = await checkStore(join(stack.folder, "data/groundwire.db"), acknowledged);
  const row = {
    rounds: ROUNDS,
    acknowledged: acknowledged.length,
    outcomes: countOutcomes(endings),
    slowestMs: Math.round(Math.max(...endings.map(({ ms }) => ms))),
    recoveredMs: Math.round(recoveredMs),
    errors,
    wrong,
    ...store,
  };
  const isKept = wrong.length === 0 && errors === 0 && row.slowestMs <= MAX_MS && isIntact(store);
  console.log(`${isKept ? "kept" : "MISS"} ${how}: ${JSON.stringify(row)}`);
  return isKept;
};

let isBroken = false;
try {
  await moveGateway();
  await uploadQuestions(stack.url, SAMPLES);
  const { argv } = process;
  for (const how of FAILURES.filter((one) => !argv[3] || one === argv[3])) isBroken = !(await fail(how)) || isBroken;
} finally {
  await stack.stop();
  server.close();
}
process.exit(isBroken ? 1 : 0);
