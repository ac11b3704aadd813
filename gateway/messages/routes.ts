import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { mediaBytesIn } from "../../lib/media-body";
import type { ChatEvent } from "../chat/contract";
import { answerHeadersOf, eventHeaders, JSON_TYPE } from "../chat/headers";
import type { RequestedModel } from "../chat/request";
import type { ChatService } from "../chat/service";
import { auth } from "../http/auth";
import { reducibleCallOf } from "../http/call";
import type { Exchange } from "../http/exchange";
import { allows, direct, dropsNul, errorsAs, generates, onMismatch, readsMedia, streams } from "../http/route-facts";
import { namedFrame, patienceOf, startEvents, streamWhenReady } from "../http/sse";
import type { Models } from "../models/registry";
import type { Principal } from "../principal";
import { assertAnswerable, assertReadable, refuseUnsupported } from "./checks";
import { CountTokensRequest, Message, MessageEvent, MessagesRequest, MessageTokensCount } from "./contract";
import { messageErrors, REQUEST_ID } from "./errors";
import { MessageEvents } from "./events";
import { promptOf, toChatRequest } from "./request";
import { displayOf, toMessage } from "./response";

interface Services {
  chat: Pick<ChatService, "answer" | "events" | "countPrompt">;
  models: Pick<Models, "find" | "resolve">;
  config: Pick<Config, "timeouts">;
}

/** Declarations that both routes share. */
const shared = {
  ...readsMedia(mediaBytesIn),
  ...allows("member"),
  ...generates,
  ...direct,
  ...dropsNul,
  ...onMismatch(refuseUnsupported),
  ...errorsAs(messageErrors),
};

const json = (exchange: Exchange, body: Message | MessageTokensCount, headers: Record<string, string> = {}) =>
  exchange.respond(JSON.stringify(body), {
    "content-type": JSON_TYPE,
    [REQUEST_ID]: exchange.requestId,
    ...headers,
  });

/** Anthropic's Messages API, translated to the chat service. */
export const messageRoutes = ({ chat, models, config }: Services) => {
  const patienceMs = patienceOf(config.timeouts);
  /** Capabilities are null until a node has reported the model. */
  const modelOf = (principal: Principal, id: string): RequestedModel =>
    models.find(principal, id) ?? { id, capabilities: null };

  return new Elysia({ name: "messages.routes", prefix: "/v1/messages", tags: ["Messages"] })
    .use(auth)
    .post(
      "",
      async ({ body, principal, exchange }): Promise<Response> => {
        const model = modelOf(principal, body.model);
        assertAnswerable(body, model);
        const call = reducibleCallOf(exchange, principal);
        const request = toChatRequest(body, model.capabilities?.reasoning ?? true);
        const display = displayOf(body);
        if (!body.stream) {
          const answer = await chat.answer(call, request);
          return json(exchange, toMessage(answer, display), answerHeadersOf(answer));
        }
        const events = new MessageEvents(body, display);
        const starting = startEvents(chat.events(call, request), (first) => eventHeaders(first), {
          frame: (event: ChatEvent) =>
            events
              .from(event)
              .map((sent) => namedFrame(sent.type, sent))
              .join(""),
          end: "",
        });
        exchange.headers[REQUEST_ID] = exchange.requestId;
        return streamWhenReady(exchange, starting, patienceMs, (error, requestId) =>
          namedFrame("error", messageErrors.body(error, requestId)),
        );
      },
      {
        body: MessagesRequest,
        response: { 200: Message },
        detail: {
          ...shared,
          ...streams(MessageEvent),
          summary: "Chat in the format of Anthropic's Messages API",
          description:
            "With `stream`, returns Server-Sent Events whose names are their types. Errors have the format of Anthropic's API.",
        },
      },
    )
    .post(
      "/count_tokens",
      async ({ body, principal, exchange }): Promise<Response> => {
        models.resolve(principal, "chat", body.model);
        assertReadable(body, modelOf(principal, body.model));
        const { messages, tools } = promptOf(body);
        const count = await chat.countPrompt(reducibleCallOf(exchange, principal), body.model, messages, tools);
        if (count === undefined) throw cannotCount(body.model);
        if (count === Number.POSITIVE_INFINITY) throw tooLong(body.model);
        return json(exchange, { input_tokens: count });
      },
      {
        body: CountTokensRequest,
        response: { 200: MessageTokensCount },
        detail: {
          ...shared,
          summary: "Count the tokens of a request to /v1/messages",
          description: "Counted by the model's own chat template and tokenizer. Calls no model and uses no tokens.",
        },
      },
    );
};

const cannotCount = (model: string): AppError =>
  new AppError("upstream_error", `The server of the model "${model}" couldn't count these tokens. Try again.`, {
    source: "node",
  });

const tooLong = (model: string): AppError =>
  new AppError("context_length_exceeded", `The prompt is longer than the context window of the model "${model}".`);
