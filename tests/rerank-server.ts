import type { Server } from "bun";

type Json = Record<string, unknown>;
type Handlers = Record<string, (request: Request) => Response | Promise<Response>>;

/** A text's words in lower case, without punctuation. */
const wordsOf = (text: string): string[] => text.toLowerCase().match(/\w+/g) ?? [];

/**
 * A server with the API of vLLM or TEI and one reranker, for tests with a real node in front of it. A document's score
 * is the fraction of the query's words that it contains. `requests` holds the received bodies. If `failure` returns a
 * response, the server sends that instead.
 */
export class RerankServer {
  readonly requests: Json[] = [];
  failure: (body: Json) => Response | undefined = () => undefined;
  readonly #server: Server<undefined>;

  constructor(
    readonly type: "vllm" | "tei" = "vllm",
    readonly model = "word-ranker",
  ) {
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      routes: type === "tei" ? this.#teiRoutes() : this.#vllmRoutes(),
      fetch: () => new Response(null, { status: 404 }),
    });
  }

  get url(): string {
    return this.#server.url.href;
  }

  /** The body of the last request. */
  get last(): Json {
    return this.requests.at(-1) ?? {};
  }

  close(): Promise<void> {
    return this.#server.stop(true);
  }

  #vllmRoutes(): Handlers {
    return {
      "/v1/models": () =>
        Response.json({
          data: [
            { id: this.model, owned_by: "vllm", root: this.model, max_model_len: 512 },
            { id: "a-chat-model", owned_by: "vllm" },
          ],
        }),
      "/tokenize": async (request) =>
        Response.json({ tokens: wordsOf(((await request.json()) as { prompt: string }).prompt).map((_, id) => id) }),
      "/v1/rerank": (request) =>
        this.#reply(request, "documents", (ranked, total) =>
          Response.json({
            id: "score-1",
            results: ranked.map(({ index, score }) => ({ index, relevance_score: score })),
            usage: { prompt_tokens: total, total_tokens: total },
          }),
        ),
    };
  }

  #teiRoutes(): Handlers {
    return {
      "/info": () => Response.json({ model_id: this.model, model_sha: "f00d", max_input_length: 512 }),
      "/rerank": (request) =>
        this.#reply(request, "texts", (ranked, total) =>
          Response.json(ranked, { headers: { "x-compute-tokens": String(total) } }),
        ),
    };
  }

  async #reply(
    request: Request,
    field: "documents" | "texts",
    answer: (ranked: { index: number; score: number }[], tokens: number) => Response,
  ): Promise<Response> {
    const body = (await request.json()) as Json;
    this.requests.push(body);
    if (body.model === "a-chat-model") {
      return Response.json({ error: { message: "The model does not support Score API" } }, { status: 400 });
    }
    const failed = this.failure(body);
    if (failed) return failed;
    const query = wordsOf(String(body.query));
    const texts = body[field] as string[];
    const ranked = texts.map((text, index) => {
      const words = new Set(wordsOf(text));
      return { index, score: query.filter((word) => words.has(word)).length / Math.max(1, query.length) };
    });
    const tokens = texts.reduce((sum, text) => sum + query.length + wordsOf(text).length, 0);
    return answer(
      ranked.sort((a, b) => b.score - a.score),
      tokens,
    );
  }
}
