import { Elysia } from "elysia";
import { serverTiming } from "../../../lib/server-timing";
import { cacheHeaders } from "../../cache/headers";
import { auth } from "../../http/auth";
import { reducibleCallOf } from "../../http/call";
import { allows, direct, dropsNul, fails, generates, servesWorkers, streams } from "../../http/route-facts";
import { startEvents, streamWhenReady } from "../../http/sse";
import { RagAnswer, RagEvent, RagQuery } from "../contract";
import type { RagService } from "./service";

const JSON_TYPE = "application/json; charset=utf-8";
/** nginx and most load balancers close a connection if the server sends nothing for 60 s. */
const MAX_SILENCE_MS = 45_000;

const headersOf = (first: RagEvent) => (first.type === "retrieval" ? cacheHeaders(first.cache) : {});

/** `POST /v1/rag/query`. */
export const queryRoutes = ({ rag }: { rag: RagService }) =>
  new Elysia({ name: "rag.query.routes", tags: ["RAG"] }).use(auth).post(
    "/v1/rag/query",
    async ({ body, principal, exchange }): Promise<Response> => {
      const call = reducibleCallOf(exchange, principal);
      if (body.stream) return streamWhenReady(exchange, startEvents(rag.events(call, body), headersOf), MAX_SILENCE_MS);
      const answer = await rag.query(call, body);
      const headers = {
        ...cacheHeaders(answer.cache),
        "content-type": JSON_TYPE,
        "server-timing": serverTiming(answer.diagnostics.stages_ms),
      };
      return exchange.respond(JSON.stringify(answer), headers);
    },
    {
      body: RagQuery,
      response: { 200: RagAnswer },
      detail: {
        ...allows("member"),
        ...generates,
        ...servesWorkers,
        ...direct,
        ...dropsNul,
        ...streams(RagEvent),
        ...fails(409),
        summary: "Answer a question from an index, with citations",
        description:
          "With `stream`, the events are retrieval, token (many), citations, grounding, done, then `[DONE]`. If nothing relevant is found, the status is `no_relevant_context`, the answer is the fallback text, and no model is called.",
      },
    },
  );
