import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import type { NodeReadiness } from "../../../gpu-node/protocol";
import { collectorOf } from "../../../lib/tracing/collector";
import { version } from "../../../package.json";
import { probePort } from "../start/ports";
import { type Check, type Checks, type Finding, failed, passed, warning } from "./check";

const TIMEOUT_MS = 3000;
const DAY_MS = 86_400_000;
const EXPIRES_SOON_MS = 14 * DAY_MS;
const MAX_SKEW_MS = 2000;

const answers = async (url: string, init: RequestInit = {}): Promise<Response | undefined> => {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return undefined;
  }
};

const portCheck =
  (process: "gateway" | "node", setting: string): Check =>
  async ({ config, origins }) => {
    const { host, port } = config[process];
    if ((await probePort(host, port)) !== undefined) return passed(`${host}:${port} is free`);
    const alive = await answers(`http://${host}:${port}/healthz`);
    if (alive?.ok) return passed(`${host}:${port} is in use by Groundwire`);
    const message = `${host}:${port} is in use by something else`;
    return origins.get(`${process}.port`) === "default"
      ? passed(`${message}; start takes the next free port`)
      : failed(message, `Stop it, or set ${setting}`);
  };

const unreachable = (url: string): Finding =>
  failed(`${url} is not responding`, "Start the node there (bun run start:gpu-node), or fix GROUNDWIRE_NODES");

const checkNode = async (
  url: string,
  node: NodeReadiness | undefined,
  headers: Record<string, string>,
): Promise<Finding | undefined> => {
  if (!node?.state) return failed(`${url} responds, but is not a Groundwire node`, "Fix GROUNDWIRE_NODES");
  if (node.state !== "ready") return warning(`${url} is ${node.state}`, "Wait until it is ready, or check its log");
  if (node.version !== version) {
    return warning(`${url} runs version ${node.version}, this is ${version}`, "Install the same version on both");
  }
  const probe = await answers(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 1 }),
  });
  if (probe?.status === 401)
    return failed(`${url} rejects the token`, "Give gateway and node the same GROUNDWIRE_NODE_TOKEN");
  if (!probe?.ok)
    return warning(`${url} did not generate a token within ${TIMEOUT_MS / 1000} s`, "Check its log and load");
  return node.synthetic
    ? warning(`${url} runs the synthetic engine: its answers are made up`, "Unset GROUNDWIRE_NODE_ENGINE there")
    : undefined;
};

export const networkChecks: Checks = {
  "gateway-port": portCheck("gateway", "GROUNDWIRE_PORT"),

  "node-port": portCheck("node", "GROUNDWIRE_NODE_PORT"),

  nodes: async ({ config }) => {
    const { nodes: configured, nodeToken } = config.gateway;
    const isLocal = configured.length === 0;
    const urls = isLocal ? [`${config.node.tlsCert ? "https" : "http"}://127.0.0.1:${config.node.port}`] : configured;
    const headers: Record<string, string> = nodeToken ? { authorization: `Bearer ${nodeToken}` } : {};
    for (const url of urls) {
      const response = await answers(`${url}/readyz`, { headers });
      const node = (await response?.json().catch(() => undefined)) as NodeReadiness | undefined;
      if (isLocal && !node?.state) return passed("no node is running on this machine; `bun run start` starts one");
      const problem = response ? await checkNode(url, node, headers) : unreachable(url);
      if (problem) return problem;
    }
    return passed(`${urls.join(", ")}: ready, and generated a token`);
  },

  redis: async ({ config }) => {
    const url = config.store.redisUrl;
    if (!url) return passed("not used: a single gateway needs no Redis");
    const client = new Redis(url, { lazyConnect: true, connectTimeout: TIMEOUT_MS, retryStrategy: () => null });
    client.on("error", () => {}); // the call below rejects with the same error
    try {
      await client.connect();
      const startedAt = performance.now();
      const [seconds] = await client.time();
      const skewMs = Math.abs(Number(seconds) * 1000 - Date.now());
      const latency = `${(performance.now() - startedAt).toFixed(1)} ms`;
      return skewMs > MAX_SKEW_MS
        ? warning(
            `its clock differs from this machine's by ${Math.round(skewMs / 1000)} s`,
            "Synchronise both clocks with NTP",
          )
        : passed(`answers in ${latency}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return failed(`can't be used: ${reason}`, "Start it, or fix REDIS_URL; a single gateway needs no Redis");
    } finally {
      client.disconnect();
    }
  },

  traces: async ({ config }) => {
    const collector = collectorOf(config.tracing);
    if (!collector) return passed("not used: no collector is set");
    const { host } = new URL(collector.url);
    // An export without spans is valid.
    const headers = { ...collector.headers, "content-type": "application/x-protobuf" };
    const response = await answers(collector.url, { method: "POST", headers, body: new Uint8Array() });
    if (!response)
      return warning(`${host} is not responding`, "Start the collector, or fix OTEL_EXPORTER_OTLP_ENDPOINT");
    if (response.ok) return passed(`${host} accepts traces`);
    return response.status === 401 || response.status === 403
      ? warning(`${host} rejects the headers`, "Fix OTEL_EXPORTER_OTLP_HEADERS")
      : warning(`${host} answers with status ${response.status}`, "Fix OTEL_EXPORTER_OTLP_ENDPOINT");
  },

  clock: async ({ config }) => {
    for (const url of config.gateway.nodes) {
      const date = (await answers(`${url}/healthz`))?.headers.get("date");
      const skewMs = date ? Math.abs(Date.parse(date) - Date.now()) : 0;
      if (skewMs > MAX_SKEW_MS) {
        return warning(
          `the clock of ${url} differs from this machine's by ${Math.round(skewMs / 1000)} s`,
          "Synchronise both clocks with NTP",
        );
      }
    }
    return passed(new Date().toISOString());
  },

  tls: ({ config }) => {
    if (!config.node.tlsCert) return passed("not used: the node listens only on this machine or in a trusted network");
    const { validTo, subject } = new X509Certificate(readFileSync(config.node.tlsCert));
    const leftMs = Date.parse(validTo) - Date.now();
    if (leftMs < 0) return failed(`the node's certificate expired on ${validTo}`, "Renew it and restart the node");
    return leftMs < EXPIRES_SOON_MS
      ? warning(`the node's certificate expires on ${validTo}`, "Renew it and restart the node")
      : passed(`${subject.replaceAll("\n", ", ")}, until ${validTo}`);
  },
};
