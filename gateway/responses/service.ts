import { AppError, toEnvelope } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Log } from "../../lib/log";
import type { Call } from "../call";
import type { ChatAnswer, ChatEvent } from "../chat/contract";
import type { ChatService } from "../chat/service";
import type { Models } from "../models/registry";
import type { Principal } from "../principal";
import { compacted, summaryRequest } from "./compaction";
import type {
  CompactedResponse,
  CompactResponse,
  CreateResponse,
  DeletedResponse,
  InputItemList,
  InputItemsQuery,
  ResponseEvent,
  ResponseObject,
} from "./contract";
import { toOwnError } from "./errors";
import { ResponseEvents } from "./events";
import type { Item } from "./items";
import { type ChatPlan, referencesIn, toChat, toItems } from "./request";
import { begunResponse, endedResponse, isComplete, outputOf } from "./response";
import { RunningResponses } from "./running";
import type { ResponseStore } from "./store";

interface ResponsesDeps {
  chat: Pick<ChatService, "answer" | "events">;
  models: Pick<Models, "find">;
  store: ResponseStore;
  log: Pick<Log, "warn">;
  now?: () => Date;
}

/** A response that is about to be streamed. */
export interface StreamedResponse {
  /** Throws what the chat service throws, in the terms of this API. Leaving the loop early stops the generation. */
  events: AsyncGenerator<ResponseEvent, void, undefined>;
  /** The chat service's first event; undefined before the first event of this stream. */
  start(): ChatEvent | undefined;
  /** The last events of a stream that failed. */
  fail(error: AppError): Iterable<ResponseEvent>;
}

interface Prepared extends ChatPlan {
  items: Item[];
}

/**
 * `/v1/responses`: translates requests for the chat service, and stores the responses. Methods that take an id throw
 * not_found for another key's response.
 */
export const createResponses = ({ chat, models, store, log, now = () => new Date() }: ResponsesDeps) => {
  const running = new RunningResponses();

  const prepare = async (principal: Principal, id: string, request: CreateResponse): Promise<Prepared> => {
    const { previous_response_id: previous, input } = request;
    if (previous !== undefined) running.assertEnded(principal, previous, "previous_response_id");
    const history = previous === undefined ? [] : await store.history(principal, previous);
    const items = toItems(input, id, await store.items(principal, referencesIn(input)));
    return { ...toChat(request, history, items), items };
  };

  const begin = (principal: Principal, request: CreateResponse, id: string, createdAt: Date, model: string) =>
    begunResponse(request, {
      ...{ id, createdAt, model },
      sampling: models.find(principal, model)?.sampling ?? null,
      isStored: request.store !== false && principal.contentLogging && store.isOn,
    });

  /** Stores a response if it should be stored. If that fails, the answer is still returned, with `store: false`. */
  const save = async (call: Call, response: ResponseObject, input: Item[]): Promise<ResponseObject> => {
    if (!response.store) return response;
    try {
      await store.save(call.principal, { response, input });
      return response;
    } catch (error) {
      log.warn({ requestId: call.requestId, err: error }, "a response could not be stored");
      return { ...response, store: false };
    }
  };

  const create = async (
    call: Call,
    request: CreateResponse,
  ): Promise<{ response: ResponseObject; answer: ChatAnswer }> => {
    const id = newId("resp");
    const createdAt = now();
    const { items, ...plan } = await prepare(call.principal, id, request);
    const answer = await chat.answer(call, plan.body).catch((thrown) => {
      throw toOwnError(thrown, plan);
    });
    const begun = begin(call.principal, request, id, createdAt, answer.model);
    const output = outputOf(answer.message, id, isComplete(answer.finish_reason));
    return { response: await save(call, endedResponse(begun, answer, output, now()), items), answer };
  };

  const stream = (call: Call, request: CreateResponse): StreamedResponse => {
    const { principal } = call;
    const id = newId("resp");
    const createdAt = now();
    const abort = new AbortController();
    let writer = new ResponseEvents(begin(principal, request, id, createdAt, request.model ?? ""));
    let begun: ChatEvent | undefined;

    const run = async function* (): AsyncGenerator<ResponseEvent, void, undefined> {
      const { items, ...plan } = await prepare(principal, id, request);
      let cancelled: Promise<ResponseObject> | undefined;
      let completed: Promise<ResponseObject> | undefined;
      const cancel = () => {
        if (completed) return completed;
        const output = writer.output(false);
        // The stream may end much later, when its client reads on.
        cancelled ??= save(call, { ...writer.begun, status: "cancelled", output }, items).finally(() =>
          running.delete(id),
        );
        abort.abort();
        return cancelled;
      };
      const handle = async function* (event: ChatEvent): AsyncGenerator<ResponseEvent> {
        if (event.type === "delta") yield* writer.add(event);
        else if (event.type === "start") {
          begun = event;
          writer = new ResponseEvents(begin(principal, request, id, createdAt, event.model));
          const snapshot = () => ({ ...writer.begun, output: writer.output(false) });
          running.add(id, { keyId: principal.keyId, snapshot, cancel }, call.signal);
          yield* writer.start();
        } else {
          const isWhole = isComplete(event.answer.finish_reason);
          const closing = [...writer.close(isWhole)];
          // Stored first, because the client may leave during the closing events.
          completed = save(call, endedResponse(writer.begun, event.answer, writer.output(isWhole), now()), items);
          const response = await completed;
          running.delete(id);
          yield* closing;
          yield writer.end(response);
        }
      };
      try {
        const signal = AbortSignal.any([call.signal, abort.signal]);
        for await (const event of chat.events(withChanges(call, { signal }), plan.body)) {
          if (!cancelled) yield* handle(event);
          if (cancelled) break;
        }
      } catch (thrown) {
        if (!cancelled) throw toOwnError(thrown, plan);
      } finally {
        running.delete(id);
      }
      if (!cancelled) return;
      yield* writer.closeItems(false);
      yield writer.end(await cancelled);
    };

    return {
      events: run(),
      start: () => begun,
      fail(error) {
        const { type, code, message, param, request_id, retryable } = toEnvelope(error, call.requestId).error;
        return writer.fail({ type, code, message, param, request_id, retryable });
      },
    };
  };

  /**
   * Throws what `create` throws, invalid_request without a conversation, and context_length_exceeded if the summary was
   * cut off.
   */
  const compact = async (
    call: Call,
    request: CompactResponse,
  ): Promise<{ response: CompactedResponse; answer: ChatAnswer }> => {
    const id = newId("resp");
    const createdAt = now();
    const { model, input = [], previous_response_id } = request;
    if (request.input === undefined && previous_response_id === undefined) {
      const message = "Nothing to compact. Set `input`, `previous_response_id` or both.";
      throw new AppError("invalid_request", message, { param: "input" });
    }
    const plan = await prepare(call.principal, id, { model, input, previous_response_id });
    const messages = [...plan.body.messages, { role: "user" as const, content: summaryRequest(request) }];
    // A summary that was cut would lose a part of the conversation.
    const answer = await chat
      .answer(withChanges(call, { mayShorten: false }), { ...plan.body, messages })
      .catch((thrown) => {
        throw toOwnError(thrown, plan);
      });
    return { response: compacted(answer, id, createdAt), answer };
  };

  return {
    /** Throws what the chat service throws, in the terms of this API, and not_found for responses and items. */
    create,
    stream,
    compact,

    /** A stored response, or one that this process is streaming. */
    get: async (principal: Principal, id: string): Promise<ResponseObject> =>
      running.find(principal, id)?.snapshot() ?? (await store.find(principal, id)).response,

    /** Throws conflict for a response that is still running. */
    async remove(principal: Principal, id: string): Promise<DeletedResponse> {
      running.assertEnded(principal, id, "id");
      await store.remove(principal, id);
      return { id, object: "response", deleted: true };
    },

    /** Stops a response that this process is streaming. Throws conflict if it has already finished. */
    async cancel(principal: Principal, id: string): Promise<ResponseObject> {
      const found = running.find(principal, id);
      if (found) return found.cancel();
      const { response } = await store.find(principal, id);
      if (response.status === "cancelled") return response;
      throw new AppError(
        "conflict",
        `Response ${id} is already ${response.status}. Only a running stream can be cancelled.`,
      );
    },

    /** The input items of a stored response, without those of the responses that it continues. */
    async inputItems(
      principal: Principal,
      id: string,
      { limit = 20, order = "desc", after }: InputItemsQuery,
    ): Promise<InputItemList> {
      const { input } = await store.find(principal, id);
      const sorted = order === "asc" ? input : input.toReversed();
      const start = after === undefined ? 0 : sorted.findIndex((item) => item.id === after) + 1;
      if (after !== undefined && start === 0) {
        throw new AppError(
          "invalid_request",
          `after is ${JSON.stringify(after)}, which is not an input item of ${id}.`,
          {
            param: "after",
          },
        );
      }
      const data = sorted.slice(start, start + limit);
      return {
        ...{ object: "list", data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null },
        has_more: sorted.length > start + limit,
      };
    },
  };
};

export type Responses = ReturnType<typeof createResponses>;

/** A copy of the call with changes. The spread doesn't copy methods and getters of a class. */
const withChanges = (call: Call, changes: Partial<Call>): Call => ({
  ...call,
  addHeaders: (headers) => call.addHeaders?.(headers),
  signal: call.signal,
  ...changes,
});
