import http2 from "node:http2";
import { countProgress } from "../lib/progress";
import { median, oneByOne, post } from "./load";
import { cpuMs, residentMib, type Side, startBareProxy, startGateway } from "./processes";

/** How often all processes are started: the runtime compiles the same code differently each time. */
const STARTS = 5;
const ROUNDS = 4;
/** Rounds that are not counted, in which the runtime compiles the hot code. */
const WARM_UP_ROUNDS = 5;
const CONNECTIONS = 16;
const CHATS = "/v1/chat/completions";
const CHAT = { model: "smollm2-135m-instruct", messages: [{ role: "user", content: "Name three colours." }] };

interface Scenario {
  body: object;
  barePath: string;
  /** Fills most of a second: autocannon stops at whole seconds, and the JIT compiler would use the idle rest. */
  requestsPerRound: number;
}

const SCENARIOS = {
  whole_answer: { body: { ...CHAT, max_tokens: 16 }, barePath: CHATS, requestsPerRound: 4000 },
  stream_of_64: {
    body: { ...CHAT, stream: true, stream_options: { include_usage: true } },
    barePath: "/stream",
    requestsPerRound: 2000,
  },
  // The bare proxy has no cache and asks its node, so the ratio compares a cached answer with a proxied one.
  cache_hit: { body: { ...CHAT, temperature: 0, max_tokens: 16 }, barePath: CHATS, requestsPerRound: 12_000 },
} satisfies Record<string, Scenario>;

type ScenarioName = keyof typeof SCENARIOS;
const NAMES = Object.keys(SCENARIOS) as ScenarioName[];

/** The gateway of this working copy, the bare proxy, and the gateway of another working copy if one is given. */
interface Sides {
  gateway: Side;
  bare: Side;
  other?: Side;
}
type SideName = keyof Sides;

interface Round {
  cpuMsPerRequest: number;
  requestsPerSecond: number;
  failures: number;
}

type Rounds = Record<SideName, Round>;

const measure = async (side: Side, path: string, { body, requestsPerRound }: Scenario): Promise<Round> => {
  const before = cpuMs(side.pid);
  const { requests, requestsPerSecond, failures } = await post(side.url + path, body, requestsPerRound, CONNECTIONS);
  return { cpuMsPerRequest: (cpuMs(side.pid) - before) / requests, requestsPerSecond, failures };
};

/** Measures the sides in turns, so that other work on the machine affects all of them. */
const inTurns = async (sides: Sides, scenario: Scenario, onRound: () => void): Promise<Rounds[]> => {
  const names = Object.keys(sides) as SideName[];
  const counted: Rounds[] = [];
  for (let i = 0; i < WARM_UP_ROUNDS + ROUNDS; i++) {
    const round = {} as Rounds;
    for (const name of i % 2 === 0 ? names : names.toReversed()) {
      const side = sides[name];
      if (side) round[name] = await measure(side, name === "bare" ? scenario.barePath : CHATS, scenario);
    }
    if (i >= WARM_UP_ROUNDS) counted.push(round);
    onRound();
  }
  return counted;
};

const summarize = (starts: Rounds[][]) => {
  const rounds = starts.flat();
  const names = Object.keys(rounds[0] ?? {}) as SideName[];
  const each = (field: keyof Round) =>
    Object.fromEntries(names.map((name) => [name, round4(median(rounds.map((round) => round[name][field])))]));
  const ratioTo = (name: SideName, of = rounds) =>
    round4(median(of.map((round) => round.gateway.cpuMsPerRequest / round[name].cpuMsPerRequest)));
  return {
    cpu_ms_per_request: each("cpuMsPerRequest"),
    cpu_ratio_to_bare: ratioTo("bare"),
    cpu_ratio_to_bare_per_start: starts.map((start) => ratioTo("bare", start)),
    ...(names.includes("other") && { cpu_ratio_to_other: ratioTo("other") }),
    requests_per_second: each("requestsPerSecond"),
    failures: rounds.flatMap((round) => names.map((name) => round[name].failures)).reduce((a, b) => a + b, 0),
  };
};

const round4 = (value: number): number => Number(value.toPrecision(4));

/** Median milliseconds of sequential requests sent directly to a node, each on its own HTTP/2 stream. */
const directMs = async (url: string, count: number): Promise<number> => {
  const session = http2.connect(url);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ":method": "POST", ":path": CHATS, "content-type": "application/json" });
      stream.on("data", () => undefined);
      stream.once("end", resolve);
      stream.once("error", reject);
      stream.end(JSON.stringify(CHAT));
    });
    times.push(performance.now() - begun);
  }
  session.close();
  return median(times);
};

interface Latency {
  gateway: number;
  bare: number;
  direct: number;
}

/** Median milliseconds of sequential requests. The sides take turns. */
const latency = async ({ gateway, bare }: Sides, onRound: () => void): Promise<Latency[]> => {
  const rounds: Latency[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push({
      gateway: median(await oneByOne(gateway.url + CHATS, CHAT, 300)),
      bare: median(await oneByOne(bare.url + CHATS, CHAT, 300)),
      direct: await directMs(gateway.nodeUrl, 300),
    });
    onRound();
  }
  return rounds;
};

const summarizeLatency = (rounds: Latency[]) => {
  const p50 = (of: (round: Latency) => number) => round4(median(rounds.map(of)));
  return {
    p50_ms: { gateway: p50((r) => r.gateway), bare_proxy: p50((r) => r.bare), direct: p50((r) => r.direct) },
    added_ms: { over_direct: p50((r) => r.gateway - r.direct), over_bare_proxy: p50((r) => r.gateway - r.bare) },
  };
};

/**
 * Compares the gateway with a bare proxy, each with its own node: whole answers, streams of 64 chunks and cache hits.
 * `args` may name the folder of another working copy, whose gateway is measured too.
 */
export const gatewayOverhead = async ([otherRoot]: string[] = []) => {
  const rounds: Record<ScenarioName, Rounds[][]> = { whole_answer: [], stream_of_64: [], cache_hit: [] };
  const latencies: Latency[] = [];
  let residentMibs = 0;
  const progress = countProgress("gateway-overhead", STARTS * (3 * (WARM_UP_ROUNDS + ROUNDS) + ROUNDS), "rounds");
  for (let start = 0; start < STARTS; start++) {
    const sides: Sides = { gateway: await startGateway(64), bare: await startBareProxy(64) };
    if (otherRoot !== undefined) sides.other = await startGateway(64, otherRoot);
    try {
      for (const name of NAMES) rounds[name].push(await inTurns(sides, SCENARIOS[name], progress.step));
      latencies.push(...(await latency(sides, progress.step)));
      residentMibs = Math.max(residentMibs, residentMib(sides.gateway.pid));
    } finally {
      for (const side of Object.values(sides)) await side.stop();
    }
  }
  return {
    whole_answer: summarize(rounds.whole_answer),
    stream_of_64: summarize(rounds.stream_of_64),
    cache_hit: summarize(rounds.cache_hit),
    latency: summarizeLatency(latencies),
    gateway_resident_mib: Math.round(residentMibs),
  };
};

/** Maximum CPU per request, as a multiple of the earlier version's. */
const MAX_RATIO = 1.05;

/**
 * Compares with the gateway in the working copy that `args` names, usually the previous version. Sets exit code 1 if a
 * request takes over 5 % more CPU.
 */
export const gatewayOverheadGuard = async (args: string[]) => {
  if (args[0] === undefined) throw new Error("Give the folder of an earlier version: bun run bench guard ../before");
  const measured = await gatewayOverhead(args);
  const compared = NAMES.map((name) => {
    const ratio = measured[name].cpu_ratio_to_other ?? Number.NaN;
    return { name, ratio, isWithin: ratio <= MAX_RATIO };
  });
  if (!compared.every(({ isWithin }) => isWithin)) process.exitCode = 1;
  return { compared, measured };
};
