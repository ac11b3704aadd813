import { parseFilter } from "./upstash-filter";

interface Item {
  id: string;
  vector: number[];
  metadata?: Record<string, unknown>;
}

interface Failure {
  status: number;
  headers?: Record<string, string>;
}

export const UPSTASH_TOKEN = "token-of-the-test";
const MAX_BATCH = 1000;

/**
 * Upstash Vector's REST API with namespaces in memory, as its documentation describes it
 * (https://upstash.com/docs/vector/api): scores of (1 + cosine) / 2, cursors, and an error for more than 1,000 items.
 */
export class UpstashServer {
  readonly #namespaces = new Map<string, Map<string, Item>>();
  #server: ReturnType<typeof Bun.serve> | undefined = this.#listen(0);
  readonly #port = this.#server?.port ?? 0;
  readonly #failures: Failure[] = [];
  /** Paths of all requests so far. */
  readonly requests: string[] = [];
  similarity = "COSINE";
  /** Set by the first upsert. Vectors of a different length are rejected. */
  #dimension: number | undefined;

  /** Ids of all stored vectors by namespace, sorted. */
  get stored(): Record<string, string[]> {
    const filled = [...this.#namespaces].filter(([, items]) => items.size > 0);
    return Object.fromEntries(filled.map(([name, items]) => [name, [...items.keys()].sort()]));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Copies all vectors of one namespace to another. */
  copy(from: string, to: string): void {
    const target = this.#namespaces.getOrInsertComputed(to, () => new Map());
    for (const [id, item] of this.#namespaces.get(from) ?? []) target.set(id, item);
  }

  /** The next requests fail, one after the other. */
  failNext(...failures: Failure[]): void {
    this.#failures.push(...failures);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop(true);
  }

  /** After `stop`, listens again on the same port, with the same vectors. */
  restart(): void {
    this.#server ??= this.#listen(this.#port);
  }

  #listen(port: number) {
    return Bun.serve({ port, hostname: "127.0.0.1", fetch: (request) => this.#answer(request) });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.requests.push(pathname);
    const failure = this.#failures.shift();
    if (failure) return error(failure.status, "failed on purpose", failure.headers);
    if (request.headers.get("authorization") !== `Bearer ${UPSTASH_TOKEN}`)
      return error(401, "Unauthorized: Invalid auth token");
    const [, endpoint = "", namespace = ""] = pathname.split("/");
    try {
      return this.#run(endpoint, namespace, (await request.json()) as never);
    } catch (thrown) {
      return error(422, String(thrown));
    }
  }

  #run(endpoint: string, namespace: string, body: never): Response {
    const items = this.#namespaces.getOrInsertComputed(namespace, () => new Map());
    switch (endpoint) {
      case "info":
        return result({ similarityFunction: this.similarity, dimension: this.#dimension ?? 0 });
      case "upsert":
        return this.#upsert(items, body);
      case "query":
        return this.#query(items, body);
      case "range":
        return this.#range(items, body);
      case "delete":
        return this.#delete(items, body);
      case "delete-namespace":
        if (items.size === 0) return error(404, `Namespace ${namespace} does not exist`);
        this.#namespaces.delete(namespace);
        return result("Success");
      default:
        return error(404, `Unknown endpoint ${endpoint}`);
    }
  }

  #upsert(items: Map<string, Item>, vectors: Item[]): Response {
    if (vectors.length > MAX_BATCH) return error(422, `More than ${MAX_BATCH} vectors`);
    for (const { vector } of vectors) this.#checkDimension(vector);
    for (const item of vectors) items.set(item.id, item);
    return result("Success");
  }

  #checkDimension({ length }: number[]): void {
    this.#dimension ??= length;
    if (length !== this.#dimension)
      throw new Error(`Invalid vector dimension: ${length}, expected: ${this.#dimension}`);
  }

  #query(items: Map<string, Item>, query: { vector: number[]; topK: number; filter?: string }): Response {
    this.#checkDimension(query.vector);
    const passes = query.filter === undefined ? () => true : parseFilter(query.filter);
    const matches = [...items.values()]
      .filter(({ metadata = {} }) => passes(metadata))
      .map(({ id, vector }) => ({ id, score: (1 + cosine(vector, query.vector)) / 2 }))
      .sort((a, b) => b.score - a.score);
    return result(matches.slice(0, query.topK));
  }

  #range(items: Map<string, Item>, { cursor, limit }: { cursor: string; limit: number }): Response {
    if (limit > MAX_BATCH) return error(422, `More than ${MAX_BATCH} vectors`);
    const from = Number(cursor || 0);
    const next = from + limit;
    return result({
      nextCursor: next < items.size ? String(next) : "",
      vectors: [...items.values()].slice(from, next),
    });
  }

  #delete(items: Map<string, Item>, { ids, prefix }: { ids?: string[]; prefix?: string }): Response {
    if (ids && ids.length > MAX_BATCH) return error(422, `More than ${MAX_BATCH} ids`);
    const selected = ids ?? [...items.keys()].filter((id) => id.startsWith(prefix ?? ""));
    return result({ deleted: selected.filter((id) => items.delete(id)).length });
  }
}

const result = (value: unknown): Response => Response.json({ result: value });
const error = (status: number, message: string, headers?: Record<string, string>): Response =>
  Response.json({ error: message, status }, { status, headers });

const cosine = (a: number[], b: number[]): number => {
  const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
