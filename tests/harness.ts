import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { bunCommand } from "../gateway/cli/start/supervisor";
import type { NodeReadiness } from "../gpu-node/protocol";
import { freePort } from "./free-port";
import { until } from "./until";

/**
 * Groundwire's real processes for tests. Each stack has its own ports, data folder and admin key, ignores the
 * developer's settings and leaves nothing behind.
 */
export const ADMIN_KEY = "test-admin-key-0123456789abcdefghij";

type Variables = Record<string, string>;

/** The environment that a process needs, without Groundwire's settings and without addresses of servers. */
const surroundings = (): Variables => {
  const kept = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "GROUNDWIRE_MODELS_DIR", "LANG"];
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
};

/** Printed by a jobs worker when it is ready. */
const WORKS = "worker is ready";

/** One running process of Groundwire. */
export class ServerProcess {
  #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  #output = "";

  /** `command`: a source file, or bun's own arguments. `wrapper`: a command that runs its arguments as a program. */
  constructor(command: string | readonly string[], env: Variables, cwd: string, wrapper: readonly string[] = []) {
    const program = typeof command === "string" ? bunCommand(command) : [process.execPath, ...command];
    this.#child = Bun.spawn([...wrapper, ...program], {
      cwd,
      env: { ...surroundings(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) void this.#collect(stream);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The process's output and log so far. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves with the exit code; null if a signal ended the process. */
  get exited(): Promise<number | null> {
    return this.#child.exited.then(() => this.#child.exitCode);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when `url` returns 200. Throws with the output if the process ends first. */
  async ready(url: string, timeoutMs = 60_000): Promise<void> {
    await until(
      `${url} returns 200`,
      async () => {
        if (this.hasEnded) throw new Error(`The process ended while it started:\n${this.#output}`);
        return (await statusOf(url)) === 200;
      },
      timeoutMs,
    );
  }

  /** Resolves when the process has printed `text`. Throws with the output if the process ends first. */
  async says(text: string, timeoutMs = 60_000): Promise<void> {
    await until(
      `the process prints "${text}"`,
      () => {
        if (this.hasEnded) throw new Error(`The process ended while it started:\n${this.#output}`);
        return this.#output.includes(text);
      },
      timeoutMs,
    );
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of stream) this.#output += decoder.decode(piece, { stream: true });
  }
}

/** The status of a GET, or undefined without a response within a second. */
export const statusOf = async (url: string): Promise<number | undefined> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
};

export interface StackOptions {
  /** llama: the real default model. synthetic: instant, deterministic words. */
  engine: "llama" | "synthetic";
  /** Number of jobs workers; default 0. */
  workers?: number;
  /** Additional settings for all processes. */
  env?: Variables;
}

/** A connected GPU node and gateway, and jobs workers on the gateway's database. */
export class Stack {
  private constructor(
    readonly url: string,
    readonly nodeUrl: string,
    readonly folder: string,
    readonly settings: Variables,
    public node: ServerProcess,
    public gateway: ServerProcess,
    readonly workers: ServerProcess[] = [],
  ) {}

  /** Resolves when all are ready. */
  static async start({ engine, env = {}, workers = 0 }: StackOptions): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), "groundwire-stack-"));
    const [port, nodePort] = [await freePort(), Number(env.GROUNDWIRE_NODE_PORT) || (await freePort())];
    const settings: Variables = {
      GROUNDWIRE_PORT: String(port),
      GROUNDWIRE_NODE_PORT: String(nodePort),
      GROUNDWIRE_NODE_ENGINE: engine,
      GROUNDWIRE_NODE_THREADS: "1",
      GROUNDWIRE_DATA_DIR: join(folder, "data"),
      GROUNDWIRE_ADMIN_KEY: ADMIN_KEY,
      GROUNDWIRE_LOG_LEVEL: "info",
      ...env,
    };
    const node = new ServerProcess("gpu-node/main.ts", settings, folder);
    const gateway = new ServerProcess("gateway/main.ts", settings, folder);
    const stack = new Stack(
      `http://127.0.0.1:${port}`,
      `http://127.0.0.1:${nodePort}`,
      folder,
      settings,
      node,
      gateway,
    );
    try {
      await stack.ready();
      for (let n = 0; n < workers; n++) stack.workers.push(stack.spawnWorker());
      await Promise.all(stack.workers.map((worker) => worker.says(WORKS)));
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  async ready(): Promise<void> {
    await this.node.ready(`${this.nodeUrl}/readyz`);
    await this.gateway.ready(`${this.url}/readyz`);
  }

  /** Restarts a killed node on the same port. */
  async restartNode(): Promise<void> {
    this.node = new ServerProcess("gpu-node/main.ts", this.settings, this.folder);
    await this.node.ready(`${this.nodeUrl}/readyz`);
  }

  /** Kills the gateway and restarts it on the same port, with its data. */
  async restartGateway(): Promise<void> {
    await this.gateway.stop();
    this.gateway = new ServerProcess("gateway/main.ts", this.settings, this.folder);
    await this.gateway.ready(`${this.url}/readyz`);
  }

  /** Starts another worker and returns before it is ready. */
  spawnWorker(): ServerProcess {
    return new ServerProcess("jobs/main.ts", this.settings, this.folder);
  }

  /** Kills a worker and replaces it; resolves when the new one is ready. */
  async replaceWorker(index = 0): Promise<void> {
    await this.workers[index]?.stop();
    const worker = this.spawnWorker();
    this.workers[index] = worker;
    await worker.says(WORKS);
  }

  /** Sends a request with the admin key; `body` is sent as JSON. */
  fetch(path: string, init: Omit<RequestInit, "body"> & { body?: unknown } = {}): Promise<Response> {
    const { body, headers, ...rest } = init;
    return fetch(`${this.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      ...rest,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...Object.fromEntries(new Headers(headers)),
      },
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** OpenAI's client, without retries, so that tests see every error. */
  openai(options: { apiKey?: string; maxRetries?: number } = {}): OpenAI {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey: ADMIN_KEY, maxRetries: 0, ...options });
  }

  /** The node's own readiness report. */
  async nodeState(): Promise<NodeReadiness> {
    const response = await fetch(`${this.nodeUrl}/readyz`);
    return (await response.json()) as NodeReadiness;
  }

  /** Tokens that the node has counted since its start. */
  async nodeTokens(): Promise<{ input: number; output: number }> {
    const text = await (await fetch(`${this.nodeUrl}/metrics`)).text();
    const total = (type: string) =>
      [...text.matchAll(new RegExp(`^groundwire_node_tokens_total\\{[^}]*"${type}"\\} (\\d+)`, "gm"))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    return { input: total("input"), output: total("output") };
  }

  /** Kills every process and deletes the data folder. */
  async stop(): Promise<void> {
    await Promise.all([this.node, this.gateway, ...this.workers].map((process) => process.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The JSON values of an SSE body's `data:` lines. The last value of a complete OpenAI stream is "[DONE]". */
export const readEvents = async (response: Response): Promise<unknown[]> =>
  (await response.text())
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length))
    .map((data): unknown => (data === "[DONE]" ? data : JSON.parse(data)));
