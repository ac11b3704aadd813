import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { isObject } from "../../lib/is-object";
import { mediaBytesIn } from "../../lib/media-body";
import { serverTiming } from "../../lib/server-timing";
import { CacheExplanation } from "../cache/contract";
import { auth } from "../http/auth";
import { reducibleCallOf } from "../http/call";
import type { Exchange } from "../http/exchange";
import {
  allows,
  direct,
  dropsNul,
  fails,
  generates,
  onMismatch,
  readsMedia,
  servesWorkers,
  streams,
} from "../http/route-facts";
import { patienceOf, startEvents, streamWhenReady } from "../http/sse";
import type { Principal } from "../principal";
import { adaptToModel } from "./adapt-to-model";
import type { StreamedAnswer, WholeAnswer } from "./answer";
import { completeEach } from "./complete-each";
import {
  ChatAnswer,
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  ChatEvent,
  CompletionRequest,
  ExplainCache,
  TextCompletion,
  TextCompletionChunk,
} from "./contract";
import { type ExplainDeps, explainCache } from "./explain";
import { answerHeaders, answerHeadersOf, eventHeaders, JSON_TYPE } from "./headers";
import type { Operation } from "./request";
import type { ChatService } from "./service";

const NEUTRAL_VALUES =
  "A value without an effect (null, an empty list, OpenAI's default) is treated like an omitted field. A value that requests an unsupported feature returns a 400 that names the field. Some features depend on the model: see its `capabilities`. The fields in its `extra_fields` are accepted too.";

interface Services extends ExplainDeps {
  chat: ChatService;
  config: Pick<Config, "timeouts">;
}

/**
 * `POST /v1/chat` in Groundwire's format, `/v1/chat/completions` and `/v1/completions` in OpenAI's, and the route that
 * explains how the cache would handle them.
 */
export const chatRoutes = (services: Services) => {
  const { chat, config, models, images } = services;
  const adapt = (operation: Operation, body: unknown, principal: Principal): void => {
    if (!isObject(body)) return;
    const isAwaited = models.isAwaited(principal, body.model);
    adaptToModel(operation, body, { model: models.find(principal, body.model), isAwaited, images });
  };
  const adapts = (operation: Operation) => onMismatch((body, caller) => adapt(operation, body, caller));
  const patienceMs = patienceOf(config.timeouts);
  return new Elysia({ name: "chat.routes", prefix: "/v1", tags: ["Chat"] })
    .use(auth)
    .post(
      "/chat/completions",
      ({ body, principal, exchange }): Promise<Response> => {
        const call = reducibleCallOf(exchange, principal);
        return body.stream
          ? streamWhenReady(exchange, chat.stream(call, "chat", body).then(streamed), patienceMs)
          : chat.complete(call, "chat", body).then((answer) => wholeResponse(exchange, answer));
      },
      {
        body: ChatCompletionRequest,
        response: { 200: ChatCompletion },
        detail: {
          ...answers(ChatCompletionChunk),
          ...adapts("chat"),
          ...readsMedia(mediaBytesIn),
          ...servesWorkers,
          summary: "Chat in OpenAI's format",
          description: `With \`stream\`, returns chunks as Server-Sent Events. ${NEUTRAL_VALUES}`,
        },
      },
    )
    .post(
      "/completions",
      async ({ body, principal, exchange }): Promise<Response> => {
        const call = reducibleCallOf(exchange, principal);
        return body.stream
          ? streamWhenReady(exchange, chat.stream(call, "completion", body).then(streamed), patienceMs)
          : wholeResponse(exchange, await completeEach(chat, call, body));
      },
      {
        body: CompletionRequest,
        response: { 200: TextCompletion },
        detail: {
          ...answers(TextCompletionChunk),
          ...adapts("completion"),
          ...servesWorkers,
          summary: "Complete a prompt, in OpenAI's format",
          description: NEUTRAL_VALUES,
        },
      },
    )
    .post(
      "/chat",
      async ({ body, principal, exchange }): Promise<Response> => {
        const call = reducibleCallOf(exchange, principal);
        if (body.stream)
          return streamWhenReady(exchange, startEvents(chat.events(call, body), eventHeaders), patienceMs);
        const answer = await chat.answer(call, body);
        return exchange.respond(JSON.stringify(answer), answerHeadersOf(answer));
      },
      {
        body: ChatCompletionRequest,
        response: { 200: ChatAnswer },
        detail: {
          ...answers(ChatEvent),
          ...adapts("chat"),
          ...readsMedia(mediaBytesIn),
          ...servesWorkers,
          summary: "Chat, with latency, cache status and model revision in the response",
          description: `With \`stream\`, the answer is Server-Sent Events of \`ChatEvent\`, then \`[DONE]\`. ${NEUTRAL_VALUES}`,
        },
      },
    )
    .post("/cache/explain", ({ principal, body }) => explainCache(services, principal, body), {
      body: ExplainCache,
      response: { 200: CacheExplanation },
      detail: {
        ...allows("admin"),
        ...onMismatch((body, caller) => {
          if (isObject(body)) adapt(body.operation === "completion" ? "completion" : "chat", body.request, caller);
        }),
        tags: ["Cache"],
        summary: "Explain a request's cache key, and how it differs from an earlier request's",
        ...fails(404),
      },
    });
};

/** The OpenAPI details that the three routes share, with the schema of their stream's events. */
const answers = (event: TSchema) => ({
  ...allows("member"),
  ...generates,
  ...direct,
  ...dropsNul,
  ...streams(event),
});

const wholeResponse = (exchange: Exchange, answer: WholeAnswer): Response => {
  const headers = answerHeaders(answer);
  headers["content-type"] = JSON_TYPE;
  headers["server-timing"] = serverTiming({ queue: answer.queueMs, ttft: answer.ttftMs, total: answer.totalMs });
  return exchange.respond(answer.json, headers);
};

const streamed = (answer: StreamedAnswer) => {
  const headers = answerHeaders(answer);
  headers["server-timing"] = serverTiming({ queue: answer.queueMs, ttft: answer.ttftMs });
  return { headers, pieces: answer.pieces };
};
