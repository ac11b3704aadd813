import { until } from "./until";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

interface Reply {
  status: number;
  body: Json;
}

const INDEXES = "/v1/rag/indexes";

/** Calls the RAG routes of a gateway with one key. Methods other than `send` throw unless the status is 2xx. */
export class RagClient {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  /** `body` is sent as JSON, or as a form. */
  async send(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Reply> {
    const isForm = body instanceof FormData;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body && !isForm && { "content-type": "application/json" }),
        ...headers,
      },
      body: body && !isForm ? JSON.stringify(body) : body,
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  async createIndex(fields: object = {}): Promise<string> {
    return (await this.#ask("POST", "", { name: `index-${crypto.randomUUID()}`, ...fields })).id;
  }

  read(path: string): Promise<Json> {
    return this.#ask("GET", path);
  }

  async delete(path: string): Promise<void> {
    await this.#ask("DELETE", path);
  }

  /** Adds texts of a JSON body. */
  addTexts(index: string, ...documents: object[]): Promise<Json> {
    return this.#ask("POST", `/${index}/documents`, { documents });
  }

  /** Adds files of a form. `metadata` applies to all files. */
  addFiles(index: string, files: readonly File[], metadata?: object): Promise<Json> {
    const form = new FormData();
    if (metadata) form.append("metadata", JSON.stringify(metadata));
    for (const file of files) form.append("files", file);
    return this.#ask("POST", `/${index}/documents`, form);
  }

  /** The index when all its documents are ready, failed or cancelled. `onPoll` gets each reading. */
  async settled(index: string, onPoll: (index: Json) => void = () => {}): Promise<Json> {
    let found: Json;
    await until(
      `the ingestion of ${index} has ended`,
      async () => {
        found = await this.read(`/${index}`);
        onPoll(found);
        return found.ingestion?.ended_at !== null && found.status !== "ingesting";
      },
      110_000,
    );
    return found;
  }

  /** All items of one of an index's lists. */
  async all(path: string): Promise<Json[]> {
    const items: Json[] = [];
    for (let cursor = ""; ; ) {
      const page = await this.read(`${path}?limit=100${cursor}`);
      items.push(...page.data);
      if (!page.next_cursor) return items;
      cursor = `&after=${page.next_cursor}`;
    }
  }

  async query(body: object): Promise<Json> {
    const reply = await this.send("POST", "/v1/rag/query", body);
    return expectSuccess("a query", reply);
  }

  async #ask(method: string, path: string, body?: object): Promise<Json> {
    return expectSuccess(`${method} ${path}`, await this.send(method, INDEXES + path, body));
  }
}

const expectSuccess = (what: string, { status, body }: Reply): Json => {
  if (status < 300) return body;
  throw new Error(`${what} returned ${status}: ${JSON.stringify(body)}`);
};
