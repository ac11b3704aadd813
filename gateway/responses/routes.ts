import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { mediaBytesIn } from "../../lib/media-body";
import { assertFunctions } from "../chat/capabilities";
import { answerHeadersOf, eventHeaders } from "../chat/headers";
import { PathId } from "../contract";
import { auth } from "../http/auth";
import { reducibleCallOf } from "../http/call";
import type { Exchange } from "../http/exchange";
import { allows, direct, dropsNul, generates, onMismatch, readsMedia, streams } from "../http/route-facts";
import { DONE_FRAME, namedFrame, patienceOf, startEvents, streamWhenReady } from "../http/sse";
import {
  CompactedResponse,
  CompactResponse,
  CreateResponse,
  DeletedResponse,
  InputItemList,
  InputItemsQuery,
  ResponseEvent,
  ResponseObject,
} from "./contract";
import type { Responses, StreamedResponse } from "./service";

interface Services {
  responses: Responses;
  config: Pick<Config, "timeouts">;
}

/** `/v1/responses` of the Open Responses specification, and OpenAI's routes for stored responses. */
export const responseRoutes = ({ responses, config }: Services) => {
  const patienceMs = patienceOf(config.timeouts);
  return new Elysia({ name: "responses.routes", prefix: "/v1/responses", tags: ["Responses"] })
    .use(auth)
    .post(
      "",
      async ({ body, principal, exchange }): Promise<Response> => {
        const call = reducibleCallOf(exchange, principal);
        if (body.stream) return streamed(exchange, responses.stream(call, body), patienceMs);
        const { response, answer } = await responses.create(call, body);
        return exchange.respond(JSON.stringify(response), answerHeadersOf(answer));
      },
      {
        body: CreateResponse,
        response: { 200: ResponseObject },
        detail: {
          ...allows("member"),
          ...generates,
          ...direct,
          ...dropsNul,
          ...readsMedia(mediaBytesIn),
          ...streams(ResponseEvent),
          ...onMismatch((body) => assertFunctions((body ?? {}) as object)),
          summary: "Create a response, following the Open Responses specification",
          description:
            "With `stream`, returns events whose names are their types, then `[DONE]`. Function calls, images and reasoning depend on the model: see its `capabilities`. Hosted tools are not available.",
        },
      },
    )
    .post(
      "/compact",
      async ({ body, principal, exchange }): Promise<Response> => {
        const { response, answer } = await responses.compact(reducibleCallOf(exchange, principal), body);
        return exchange.respond(JSON.stringify(response), answerHeadersOf(answer));
      },
      {
        body: CompactResponse,
        response: { 200: CompactedResponse },
        detail: {
          ...allows("member"),
          ...generates,
          ...direct,
          ...dropsNul,
          ...readsMedia(mediaBytesIn),
          summary: "Summarise a conversation in one item that replaces it",
          description: "The model writes the summary. Nothing is stored.",
        },
      },
    )
    .get("/:id", ({ principal, params }) => responses.get(principal, params.id), {
      params: PathId,
      response: { 200: ResponseObject },
      detail: { ...allows("member"), summary: "Read a stored response, or the current state of a stream" },
    })
    .delete("/:id", ({ principal, params }) => responses.remove(principal, params.id), {
      params: PathId,
      response: { 200: DeletedResponse },
      detail: {
        ...allows("member"),
        summary: "Delete a stored response permanently",
        description: "Responses that continue it can no longer be continued.",
      },
    })
    .post("/:id/cancel", ({ principal, params }) => responses.cancel(principal, params.id), {
      params: PathId,
      response: { 200: ResponseObject },
      detail: { ...allows("member"), summary: "Stop a response that this gateway is streaming" },
    })
    .get("/:id/input_items", ({ principal, params, query }) => responses.inputItems(principal, params.id, query), {
      params: PathId,
      query: InputItemsQuery,
      response: { 200: InputItemList },
      detail: { ...allows("member"), summary: "List the input items of a stored response" },
    });
};

const eventFrame = (event: ResponseEvent): string => namedFrame(event.type, event);

const streamed = (exchange: Exchange, { events, start, fail }: StreamedResponse, patienceMs: number) => {
  const headersOf = () => {
    const first = start();
    return first ? eventHeaders(first) : {};
  };
  const starting = startEvents(events, headersOf, { frame: eventFrame, end: DONE_FRAME });
  return streamWhenReady(
    exchange,
    starting,
    patienceMs,
    (error) => [...fail(error)].map(eventFrame).join("") + DONE_FRAME,
  );
};
