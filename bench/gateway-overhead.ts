import http2 from "node:http2";
import { countProgress } from "../lib/progress";
import { HEADERS, median, oneByOne, post } from "./load";
import { cpuMs, type Running, residentMib, type Side, startAll } from "./processes";

const ROUNDS = 5;
/** Rounds before those that count: by then the runtime has compiled what it will, which costs more than the requests. */
const WARM_UP_ROUNDS = 6;
const CHAT = { messages: [{ role: "user", content: "Name three colours." }] };
const MODEL = "smollm2-135m-instruct";

interface Round {
  cpuMsPerRequest: number;
  requestsPerSecond: number;
  failures: number;
}

const measure = async (
  side: Running,
  path: string,
  body: object,
  amount: number,
  connections: number,
): Promise<Round> => {
  const before = cpuMs(side.pid);
  const { requests, requestsPerSecond, failures } = await post(`${side.url}${path}`, body, amount, connections);
  return { cpuMsPerRequest: (cpuMs(side.pid) - before) / requests, requestsPerSecond, failures };
};

/** Gateway and floor take turns, so that other load on the machine affects both. */
const sideBySide = async (gateway: () => Promise<Round>, floor: () => Promise<Round>, onRound: () => void) => {
  const counted = async (side: () => Promise<Round>) => {
    const round = await side();
    onRound();
    return round;
  };
  for (let i = 0; i < WARM_UP_ROUNDS; i++) await counted(gateway);
  for (let i = 0; i < WARM_UP_ROUNDS; i++) await counted(floor);
  const rounds: [Round, Round][] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push([await counted(gateway), await counted(floor)]);
  const of = (side: 0 | 1, field: keyof Round) => median(rounds.map((round) => round[side][field]));
  const ratio = (field: keyof Round) => median(rounds.map(([a, b]) => a[field] / b[field]));
  return {
    cpu_ms_per_request: {
      gateway: of(0, "cpuMsPerRequest"),
      floor: of(1, "cpuMsPerRequest"),
      ratio: ratio("cpuMsPerRequest"),
    },
    requests_per_second: {
      gateway: of(0, "requestsPerSecond"),
      floor: of(1, "requestsPerSecond"),
      ratio: ratio("requestsPerSecond"),
    },
    failures: rounds.flat().reduce((sum, { failures }) => sum + failures, 0),
  };
};

/** Median milliseconds of one request after the other on one HTTP/2 stream each, without any gateway. */
const directMs = async (url: string, count: number): Promise<number> => {
  const session = http2.connect(url);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({
        ":method": "POST",
        ":path": "/v1/chat/completions",
        "content-type": "application/json",
      });
      stream.on("data", () => undefined);
      stream.once("end", resolve);
      stream.once("error", reject);
      stream.end(JSON.stringify({ ...CHAT, model: MODEL }));
    });
    times.push(performance.now() - begun);
  }
  session.close();
  return median(times);
};

const latency = async ({ gateway, bare, node }: Side, onRound: () => void) => {
  const path = "/v1/chat/completions";
  const rounds: { gateway: number; bare: number; direct: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push({
      gateway: median(await oneByOne(gateway.url + path, CHAT, 300)),
      bare: median(await oneByOne(bare.url + path, { ...CHAT, model: MODEL }, 300)),
      direct: await directMs(node.url, 300),
    });
    onRound();
  }
  const added = (from: "bare" | "direct") => median(rounds.map((round) => round.gateway - round[from]));
  return {
    p50_ms: {
      gateway: median(rounds.map((round) => round.gateway)),
      bare_proxy: median(rounds.map((round) => round.bare)),
      direct: median(rounds.map((round) => round.direct)),
    },
    added_ms: { over_direct: added("direct"), over_bare_proxy: added("bare") },
  };
};

/** What the gateway costs over a bare proxy on the same HTTP/2 link: whole answers, streams of 64 chunks, cache hits. */
export const gatewayOverhead = async () => {
  const side = await startAll(64);
  try {
    const { gateway, bare } = side;
    const plain = { ...CHAT, model: MODEL, max_tokens: 16 };
    const streamed = { ...CHAT, model: MODEL, stream: true, stream_options: { include_usage: true } };
    const cached = { ...CHAT, model: MODEL, temperature: 0, max_tokens: 16 };
    const chats = "/v1/chat/completions";
    const answer = await fetch(gateway.url + chats, { method: "POST", headers: HEADERS, body: JSON.stringify(cached) });
    await fetch(`${bare.url}/store`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: await answer.text(),
    });
    const progress = countProgress("gateway-overhead", 3 * 2 * (WARM_UP_ROUNDS + ROUNDS) + ROUNDS, "rounds");
    return {
      whole_answer: await sideBySide(
        () => measure(gateway, chats, plain, 2000, 16),
        () => measure(bare, chats, plain, 2000, 16),
        progress.step,
      ),
      stream_of_64: await sideBySide(
        () => measure(gateway, chats, streamed, 400, 16),
        () => measure(bare, "/stream", streamed, 400, 16),
        progress.step,
      ),
      cache_hit: await sideBySide(
        () => measure(gateway, chats, cached, 4000, 16),
        () => measure(bare, "/stored", cached, 4000, 16),
        progress.step,
      ),
      latency: await latency(side, progress.step),
      gateway_resident_mib: residentMib(gateway.pid),
    };
  } finally {
    await side.stop();
  }
};
