import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../../gateway/gateway";
import type { Role } from "../../gateway/principal";
import { type RunningNode, startNode } from "../../gpu-node/node";
import { startWorker } from "../../jobs/worker";
import type { Config } from "../../lib/config";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { standIn } from "../rag-stand-in";
import { type JsonSchema, undeclaredFields } from "./undeclared-fields";

const ADMIN_KEY = "contract-tests-admin-key-0123456789abcdef";

/** Gateway, jobs worker and a node with the synthetic engine, in this process, on free ports and in their own folder. */
export interface Stack {
  url: string;
  node: RunningNode;
  adminKey: string;
  /** The gateway's data folder. */
  dataDir: string;
  gateway: Awaited<ReturnType<typeof startGateway>>;
  /** The gateway's settings, to start others on the same database. */
  config: Config;
  /** Creates a key with this role. */
  keyOf(role: Role, settings?: Record<string, unknown>): Promise<string>;
  /** Calls the API with `key`, by default the admin's; null sends no key. */
  call(
    method: string,
    path: string,
    options?: { key?: string | null; body?: unknown; headers?: Record<string, string> },
  ): Promise<Response>;
  close(): Promise<void>;
}

/**
 * Compares responses with the OpenAPI document, so that every contract test also checks it. Throws if the document
 * doesn't list the status of a response, or (S1) if a JSON response has a field that its schema doesn't declare. What the
 * document doesn't describe is not checked.
 */
const documentedResponses = (url: string) => {
  interface Document {
    paths: Record<string, Record<string, { responses: Record<string, DocumentedResponse> }>>;
    components: { schemas: Record<string, JsonSchema> };
  }
  interface DocumentedResponse {
    content?: Record<string, { schema?: JsonSchema }>;
  }
  let loading: Promise<{ operations: [pattern: RegExp, methods: Document["paths"][string]][]; document: Document }>;
  const load = async () => {
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    // Fixed paths come before those with an id in the same place.
    const sorted = Object.entries(document.paths).sort(([a], [b]) => a.split("{").length - b.split("{").length);
    const operations = sorted.map(([path, methods]): [RegExp, typeof methods] => [
      new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}/?$`),
      methods,
    ]);
    return { operations, document };
  };
  return async (method: string, path: string, response: Response): Promise<void> => {
    loading ??= load();
    const { operations, document } = await loading;
    const [pathname = ""] = path.split("?");
    const found = operations.find(([pattern]) => pattern.test(pathname));
    const operation = found?.[1][method.toLowerCase()];
    if (operation === undefined) return;
    const documented = operation.responses[response.status];
    if (!documented)
      throw new Error(`The OpenAPI document doesn't list the status ${response.status} for ${method} ${path}.`);
    const schema = documented.content?.["application/json"]?.schema;
    if (!schema || !/^application\/json(;|$)/.test(response.headers.get("content-type") ?? "")) return;
    const fields = undeclaredFields(await response.clone().json(), schema, document.components.schemas);
    if (fields.length > 0)
      throw new Error(`The response to ${method} ${path} has undeclared fields: ${fields.join(", ")}`);
  };
};

interface StackSettings {
  gateway?: Partial<Config["gateway"]>;
  cache?: Partial<Config["cache"]>;
  datasets?: Partial<Config["datasets"]>;
  models?: Partial<Config["models"]>;
  /** By default, a synthetic engine. */
  node?: Partial<Config["node"]>;
  store?: Partial<Config["store"]>;
  /** Of all three processes. */
  tracing?: Partial<Config["tracing"]>;
  webhooks?: Partial<Config["webhooks"]>;
  /** False: the test starts workers itself. */
  hasWorker?: boolean;
  /** Content of the initial database file; if omitted, a new database. */
  database?: Uint8Array;
}

const isSendable = (body: unknown): body is string | FormData | undefined =>
  body === undefined || typeof body === "string" || body instanceof FormData;

export const startStack = async (
  synthetic: { tokens?: number; tokenMs?: number } = {},
  settings: StackSettings = {},
): Promise<Stack> => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-contract-"));
  if (settings.database) await writeFile(join(dataDir, "groundwire.db"), settings.database);
  const log = silentLog();
  const base = defaultConfig({ tracing: settings.tracing });
  const node = await startNode(
    {
      ...base,
      models: { ...base.models, ...settings.models },
      node: { ...base.node, engine: "synthetic", port: 0, ...settings.node },
      synthetic: { ...base.synthetic, ...synthetic },
    },
    { log },
  );
  await node.ready;
  const config = {
    ...base,
    dataDir,
    datasets: { ...base.datasets, ...settings.datasets },
    models: { ...base.models, ...settings.models },
    cache: { ...base.cache, ...settings.cache },
    store: { ...base.store, ...settings.store },
    webhooks: { ...base.webhooks, ...settings.webhooks },
    gateway: {
      ...base.gateway,
      port: 0,
      nodes: [node.url],
      adminKey: ADMIN_KEY,
      requestsPerMinute: 100_000,
      ...settings.gateway,
    },
  };
  const gateway = await startGateway(config, log);
  const jobs = { ...config.jobs, gatewayUrl: gateway.url };
  const worker = settings.hasWorker === false ? undefined : await startWorker({ ...config, jobs }, log, standIn);

  const checkDocumented = documentedResponses(gateway.url);
  const call: Stack["call"] = async (method, path, { key = ADMIN_KEY, body, headers } = {}) => {
    const response = await fetch(gateway.url + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && !(body instanceof FormData) && { "content-type": "application/json" }),
        ...headers,
      },
      body: isSendable(body) ? body : JSON.stringify(body),
    });
    await checkDocumented(method, path, response);
    return response;
  };

  return {
    url: gateway.url,
    node,
    adminKey: ADMIN_KEY,
    dataDir,
    gateway,
    config,
    call,
    async keyOf(role, settings = {}) {
      const response = await call("POST", "/v1/keys", { body: { name: `a ${role}`, role, ...settings } });
      const { key } = (await response.json()) as { key: string };
      return key;
    },
    async close() {
      await gateway.close(0);
      await worker?.close(0);
      await node.close(0);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
