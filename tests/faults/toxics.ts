import { freePort } from "../free-port";
import { Stack } from "../harness";
import { type ReceivedSpan, startOtlpReceiver } from "../otlp-receiver";
import { until } from "../until";
import { chat, countOutcomes, type Ending, isComplete, isHonest } from "./chat-ending";
import { requireTool } from "./tools";

/**
 * Puts Toxiproxy between gateway and node and sends requests, streamed and not, through each of its toxics:
 * `bun run faults toxics`. Every request must end within the deadlines, with a status that says what happened; a stream
 * that breaks must say so; once the toxic is gone, the next requests must succeed; and metrics and spans must show every
 * request and every error.
 */

const ROUTE = "/v1/chat/completions";
const CALLS = 6;
/** Deadlines of the gateway in milliseconds. The total is never reached, because a toxic stops all tokens or none. */
const DEADLINE_MS = { firstToken: 3000, nextToken: 2000, total: 20_000 };
/** A request may be retried once, each try may take both deadlines, and the machine may be busy. */
const MAX_MS = 2 * (DEADLINE_MS.firstToken + DEADLINE_MS.nextToken) + 3000;
/** The first ejection lasts 30 s, the second 60 s. */
const MAX_RECOVERY_MS = 95_000;

interface Toxic {
  type: string;
  attributes: Record<string, number>;
  /** The toxic only slows the connection, so every answer must be complete. */
  isHarmless: boolean;
}

const TOXICS: readonly Toxic[] = [
  { type: "latency", attributes: { latency: 100, jitter: 50 }, isHarmless: true },
  { type: "bandwidth", attributes: { rate: 20 }, isHarmless: true },
  { type: "slicer", attributes: { average_size: 20, size_variation: 10, delay: 100 }, isHarmless: true },
  { type: "slow_close", attributes: { delay: 1000 }, isHarmless: true },
  { type: "latency", attributes: { latency: 10_000 }, isHarmless: false },
  { type: "limit_data", attributes: { bytes: 2000 }, isHarmless: false },
  { type: "reset_peer", attributes: { timeout: 300 }, isHarmless: false },
  { type: "timeout", attributes: { timeout: 0 }, isHarmless: false },
  { type: "timeout", attributes: { timeout: 300 }, isHarmless: false },
  { type: "down", attributes: {}, isHarmless: false },
];

const program = requireTool("toxiproxy-server");
const [controlPort, proxyPort, nodePort] = [await freePort(), await freePort(), await freePort()];
const proxyServer = Bun.spawn([program, "-port", String(controlPort)], { stdio: ["ignore", "ignore", "ignore"] });

/** Calls Toxiproxy's API. */
const control = async (method: string, path: string, body?: object): Promise<void> => {
  const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
    method,
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Toxiproxy: ${method} ${path}: ${response.status} ${await response.text()}`);
};
const addToxic = async ({ type, attributes }: Toxic): Promise<void> => {
  if (type === "down") return control("POST", "/proxies/node", { enabled: false });
  return control("POST", "/proxies/node/toxics", { name: "toxic", type, stream: "downstream", attributes });
};
const addProxy = (): Promise<void> => {
  const [listen, upstream] = [`127.0.0.1:${proxyPort}`, `127.0.0.1:${nodePort}`];
  return control("POST", "/proxies", { name: "node", listen, upstream, enabled: true });
};
/** Replaces the proxy after a toxic that holds data back, because Toxiproxy delivers that data before it answers. */
const removeToxic = async ({ isHarmless }: Toxic): Promise<void> => {
  if (isHarmless) return control("DELETE", "/proxies/node/toxics/toxic");
  await control("DELETE", "/proxies/node");
  await addProxy();
};

/**
 * What the gateway's metrics and spans show: requests, those with an error status, and generations that failed, including
 * streams that ended with an error event.
 */
const recorded = async (stack: Stack, collector: ReturnType<typeof startOtlpReceiver>) => {
  const text = await (await stack.fetch("/metrics")).text();
  const linesOf = (metric: string) => text.match(new RegExp(`^${metric}_count\\{.*$`, "gm")) ?? [];
  const sum = (lines: readonly string[]) => lines.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
  const failed = (lines: readonly string[]) => lines.filter((line) => !line.includes('error_type=""'));
  const http = linesOf("http_server_request_duration_seconds").filter((line) => line.includes(`"${ROUTE}"`));
  const generations = linesOf("gen_ai_server_request_duration_seconds");
  const requests = sum(http);
  const ofGateway = () => collector.spans().filter(({ service }) => service.includes("gateway"));
  const ofRoute = () => ofGateway().filter(({ attributes }) => attributes["http.route"] === ROUTE);
  await until("all spans are exported", () => ofRoute().length >= requests).catch(() => {});
  const errors = ofGateway().filter(({ attributes }) => attributes["error.type"] !== undefined);
  const isGeneration = ({ attributes }: ReceivedSpan) => attributes["gen_ai.operation.name"] !== undefined;
  return {
    metrics: { requests, refused: sum(failed(http)), failed: sum(failed(generations)) },
    spans: {
      requests: ofRoute().length,
      refused: errors.filter(({ attributes }) => attributes["http.route"] === ROUTE).length,
      failed: errors.filter(isGeneration).length,
    },
  };
};

const collector = startOtlpReceiver();
const env = {
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_BSP_SCHEDULE_DELAY: "200",
  GROUNDWIRE_NODE_PORT: String(nodePort),
  GROUNDWIRE_NODES: `http://127.0.0.1:${proxyPort}`,
  GROUNDWIRE_SYNTHETIC_TOKEN_MS: "20",
  GROUNDWIRE_SYNTHETIC_TOKENS: "20",
  GROUNDWIRE_FIRST_TOKEN_TIMEOUT_MS: String(DEADLINE_MS.firstToken),
  GROUNDWIRE_NEXT_TOKEN_TIMEOUT_MS: String(DEADLINE_MS.nextToken),
  GROUNDWIRE_TOTAL_TIMEOUT_MS: String(DEADLINE_MS.total),
  GROUNDWIRE_CACHE: "false",
};
let stack: Stack | undefined;
let misses = 0;
let tried = 0;
try {
  await until("Toxiproxy answers", () =>
    fetch(`http://127.0.0.1:${controlPort}/version`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await addProxy();
  const running = await Stack.start({ engine: "synthetic", env });
  stack = running;
  const sent: Ending[] = [];

  for (const toxic of TOXICS) {
    for (const stream of [true, false]) {
      const send = async () => {
        const ending = await chat(running, { stream, timeoutMs: DEADLINE_MS.total + 10_000 });
        sent.push(ending);
        return ending;
      };
      // Half of the requests meet the toxic at their start, half of them in the middle.
      const early = Array.from({ length: CALLS / 2 }, send);
      await Bun.sleep(150);
      await addToxic(toxic);
      const late = Array.from({ length: CALLS / 2 }, send);
      const endings = await Promise.all([...early, ...late]);
      await removeToxic(toxic);
      const removedAt = performance.now();
      let recoveredMs = Number.POSITIVE_INFINITY;
      while (performance.now() - removedAt < MAX_RECOVERY_MS && recoveredMs === Number.POSITIVE_INFINITY) {
        if (isComplete(await send())) recoveredMs = performance.now() - removedAt;
        else await Bun.sleep(100);
      }

      const slowestMs = Math.round(Math.max(...endings.map(({ ms }) => ms)));
      const isKept =
        endings.every((ending) => (toxic.isHarmless ? isComplete(ending) : isHonest(ending))) &&
        slowestMs <= MAX_MS &&
        recoveredMs <= MAX_RECOVERY_MS &&
        !running.gateway.hasEnded;
      tried += endings.length;
      if (!isKept) misses++;
      const row = {
        ...toxic.attributes,
        stream,
        outcomes: countOutcomes(endings),
        slowestMs,
        recoveredMs: Math.round(recoveredMs),
      };
      console.log(`${isKept ? "kept" : "MISS"} ${toxic.type} ${JSON.stringify(row)}`);
    }
  }
  const refused = sent.filter(({ status }) => status !== 200).length;
  const broken = sent.filter((ending) => !isComplete(ending)).length - refused;
  const { metrics, spans } = await recorded(running, collector);
  const isShown =
    [metrics, spans].every((shown) => shown.requests === sent.length && shown.refused === refused) &&
    metrics.failed >= broken &&
    spans.failed >= refused + broken;
  if (!isShown) misses++;
  const row = { requests: sent.length, refused, broken, metrics, spans };
  console.log(`${isShown ? "kept" : "MISS"} metrics and spans: ${JSON.stringify(row)}`);
  console.log(`${tried} requests, ${TOXICS.length} toxics, streamed and not: ${misses} misses`);
} finally {
  await stack?.stop();
  await collector.close();
  proxyServer.kill();
  await proxyServer.exited;
}
process.exit(misses === 0 && tried > 0 ? 0 : 1);
