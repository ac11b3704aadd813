import { toAppError } from "../../lib/errors";
import type { Tracer } from "../../lib/tracing/tracer";
import type { AnswerCache } from "../cache/service";
import { type Call, callerOf, timeLeft } from "../call";
import { type Degradations, evaluationsOff } from "../health/degradations";
import type { Ledger } from "../limits/ledger";
import type { Models } from "../models/registry";
import type { Engine, EngineReply } from "../ports/engine";
import type { GenerationSample, Recorder } from "../ports/recorder";
import type { Principal } from "../principal";
import { endGeneration, endIfFailed, startGeneration } from "../tracing/generation-span";
import {
  type AnswerStart,
  deltaOf,
  describe,
  messageOf,
  type ParsedAnswer,
  type StreamedAnswer,
  sentAt,
  type WholeAnswer,
  wholeDelta,
} from "./answer";
import { assertCapable, assertOneChoice, assertTools, findGap } from "./capabilities";
import { charged } from "./charged";
import type { ChatAnswer, ChatCompletionRequest, ChatEvent, CompletionRequest, Usage } from "./contract";
import { type CountPrompt, promptCounter } from "./count-prompt";
import { toCompletion, toFrames } from "./frames";
import { createImageRules, type ImageRules } from "./images";
import { cacheBypass, cacheParts, EXTRA, type GenerationRequest, nodeBody, type Operation, shortened } from "./request";
import {
  type Completion,
  collect,
  framesOf,
  join,
  metered,
  newAnswerId,
  once,
  parseFrames,
  parseWhole,
  replaceId,
  toStored,
  withIdentity,
} from "./wire";

/** Chats and completions. Every method throws AppError as `Engine.request` does, and invalid_request. */
export interface ChatService {
  complete(call: Call, operation: "chat", body: ChatCompletionRequest): Promise<WholeAnswer>;
  complete(call: Call, operation: "completion", body: CompletionRequest): Promise<WholeAnswer>;
  stream(call: Call, operation: "chat", body: ChatCompletionRequest): Promise<StreamedAnswer>;
  stream(call: Call, operation: "completion", body: CompletionRequest): Promise<StreamedAnswer>;
  /** The complete answer with its details. */
  answer(call: Call, body: ChatCompletionRequest): Promise<ChatAnswer>;
  /** The answer as a stream: one `start`, any `delta`, one `done`. Leaving the loop early stops the generation. */
  events(call: Call, body: ChatCompletionRequest): AsyncGenerator<ChatEvent, void, undefined>;
  countPrompt: CountPrompt;
}

interface ChatDeps {
  engine: Engine;
  ledger: Pick<Ledger, "useModel">;
  models: Models;
  answers: Pick<AnswerCache, "answer">;
  recorder: Recorder;
  tracer?: Tracer;
  /** Timeout for a complete answer, in milliseconds. */
  totalMs: number;
  cacheEnabled: boolean;
  /** By default, images must be data URLs. */
  images?: ImageRules;
  /** Maximum length of reducible answers during `fewer_tokens`. */
  busyMaxTokens?: number;
  degradations?: Pick<Degradations, "codes" | "has" | "isDrill" | "report">;
}

/** `fallback_model` lasts this long after the last answer of a fallback model. */
const FALLBACK_MS = 60_000;
const ROUTES = { chat: "/v1/chat/completions", completion: "/v1/completions" } as const;

export const createChat = (deps: ChatDeps): ChatService => {
  const { engine, ledger, models, answers, recorder, tracer, totalMs, cacheEnabled, degradations } = deps;
  const { busyMaxTokens = Number.POSITIVE_INFINITY, images = createImageRules([]) } = deps;

  const noteFallback = (reply: EngineReply, requested: string): EngineReply => {
    if (reply.fallbackModel !== undefined && !degradations?.isDrill("fallback_model")) {
      degradations?.report("fallback_model", `${reply.fallbackModel} answers instead of ${requested}`, FALLBACK_MS);
    }
    return reply;
  };

  /** The fallback models that can do what the request asks for. */
  const fallbacksFor = (principal: Principal, operation: Operation, body: GenerationRequest, id: string) => {
    const capable = models.fallbacksOf(principal, id)?.filter((name) => {
      const capabilities = models.capabilitiesOf(name);
      return capabilities ? findGap(operation, body, capabilities) === undefined : body[EXTRA] === undefined;
    });
    return capable && capable.length > 0 ? capable : undefined;
  };

  /** Serves from the cache, joins an identical request or starts a generation. */
  const begin = async (call: Call, operation: Operation, asked: GenerationRequest, isStream: boolean) => {
    if (call.principal.via === "worker" && degradations?.has("no_evals")) throw evaluationsOff();
    const isShort = call.mayShorten && degradations?.has("fewer_tokens");
    const body = isShort ? shortened(asked, busyMaxTokens) : asked;
    const model = models.resolve(call.principal, "chat", body.model);
    assertCapable(operation, body, model);
    assertTools(body);
    const hasFetchedImages = model.capabilities?.vision !== false && images.check(body);
    if (call.report) call.report.model = model.id;
    const bypass = cacheEnabled ? cacheBypass(body, hasFetchedImages) : "off";
    const span =
      tracer && startGeneration(tracer, call, { operation, model: model.id, stream: isStream, parameters: body });
    const fallbacks = call.mayFallBack ? fallbacksFor(call.principal, operation, body, model.id) : undefined;
    let gatewayMs: number | undefined;
    // The answer of another model must not be stored as this one's.
    let hasFallenBack = false;
    const generate = (signal: AbortSignal): Promise<EngineReply> => {
      const json = nodeBody(body, model, isStream);
      return charged(ledger, call, model, { body, json, isStream, signal }, () => {
        gatewayMs = performance.now() - call.receivedAt;
        const { requestId, fairKey, priority, traceparent } = callerOf(call, span);
        // Others may join a cacheable generation, so it doesn't end at this caller's deadline while they are waiting.
        const timed = bypass === undefined ? { receivedAt: call.receivedAt } : call;
        const { deadlineMs, hasOwnDeadline } = timeLeft(timed, totalMs);
        // Each field by its name: copying them from objects is slower.
        const request = engine.request({
          route: ROUTES[operation],
          model: model.id,
          body: json,
          stream: isStream,
          requestId,
          fairKey,
          priority,
          traceparent,
          deadlineMs,
          hasOwnDeadline,
          fallbacks: fallbacks && {
            models: fallbacks,
            bodyFor: (id) => nodeBody(body, { id, capabilities: models.capabilitiesOf(id) }, isStream),
          },
          signal,
        });
        return fallbacks
          ? request.then((reply) => {
              hasFallenBack = reply.fallbackModel !== undefined;
              return noteFallback(reply, model.id);
            })
          : request;
      });
    };
    const answering = answers.answer(
      {
        keyId: call.principal.keyId,
        stream: isStream,
        parts: bypass === undefined ? cacheParts(operation, body, model) : {},
        tags: [`model:${model.id}`],
        bypass,
        // The content of a key without content logging must not be cached.
        directives: call.principal.contentLogging ? call.directives : { ...call.directives, noStore: true },
        requestId: call.requestId,
        fallbacks,
        call,
      },
      generate,
      (pieces) => (hasFallenBack ? undefined : toStored(isStream ? toCompletion(pieces) : parseWhole(join(pieces)))),
    );
    const answer = await (span ? endIfFailed(span, answering) : answering);
    if ("stored" in answer) gatewayMs = performance.now() - call.receivedAt;
    const fallbackModel = "reply" in answer ? answer.reply.fallbackModel : undefined;
    const start: AnswerStart = {
      model: fallbackModel ?? model.id,
      fallbackFrom: fallbackModel === undefined ? null : model.id,
      modelRevision: "reply" in answer ? answer.reply.modelRevision : model.revision,
      node: "reply" in answer ? answer.reply.node : null,
      cache: answer.report,
      ttftMs: performance.now() - call.receivedAt,
      queueMs: "reply" in answer ? answer.reply.queueMs : 0,
      retries: "reply" in answer ? answer.reply.retries : 0,
      gatewayMs,
      degraded: degradations?.codes() ?? [],
      span,
    };
    return { answer, start };
  };

  /** Records a metrics sample for each generation that was started, even if it was aborted. */
  const record = (
    operation: Operation,
    stream: boolean,
    call: Call,
    start: AnswerStart,
    usage: Usage | null | undefined,
    errorKind?: GenerationSample["errorKind"],
  ): void => {
    const sample: GenerationSample = {
      operation,
      caller: call.principal,
      model: start.model,
      node: start.node ?? undefined,
      stream,
      cache: start.cache,
      gatewayMs: start.gatewayMs,
      queueMs: start.queueMs,
      ttftMs: start.ttftMs,
      totalMs: performance.now() - call.receivedAt,
      promptTokens: usage?.prompt_tokens ?? 0,
      completionTokens: usage?.completion_tokens ?? 0,
      errorKind,
      retries: start.retries,
    };
    recorder.generation(sample);
    call.report?.generated(sample);
    if (start.span) endGeneration(start.span, sample);
  };

  /** A complete answer as the JSON that will be sent, with a new id. Unless it was stored, it is parsed too. */
  const whole = async (call: Call, operation: Operation, body: GenerationRequest): Promise<ParsedAnswer> => {
    const { answer, start } = await begin(call, operation, body, false);
    if ("stored" in answer) {
      record(operation, false, call, start, undefined);
      const json = withIdentity(answer.stored, newAnswerId(operation));
      return Object.assign(start, { json, totalMs: performance.now() - call.receivedAt });
    }
    try {
      let json = join(await collect(answer.reply.body));
      const completion = parseWhole(json);
      if (start.cache.status === "joined") {
        const id = newAnswerId(operation);
        json = replaceId(json, completion.id, id);
        completion.id = id;
      }
      if (completion.timings) start.ttftMs = sentAt(call, completion) + completion.timings.ttft_ms;
      record(operation, false, call, start, completion.usage);
      return Object.assign(start, { completion, json, totalMs: performance.now() - call.receivedAt });
    } catch (thrown) {
      record(operation, false, call, start, undefined, toAppError(thrown).kind);
      throw thrown;
    }
  };

  return {
    complete: whole,

    async stream(call: Call, operation: Operation, body: GenerationRequest) {
      const { answer, start } = await begin(call, operation, body, true);
      const wantsUsage = body.stream_options?.include_usage === true;
      if ("stored" in answer) {
        const completion: Completion = JSON.parse(withIdentity(answer.stored, newAnswerId(operation)));
        record(operation, true, call, start, completion.usage);
        return { ...start, pieces: once(toFrames(completion, wantsUsage)) };
      }
      const pieces = metered(framesOf(operation, answer), wantsUsage, (usage, errorKind) =>
        record(operation, true, call, start, usage, errorKind),
      );
      return { ...start, pieces };
    },

    async answer(call, body) {
      assertOneChoice(body);
      const start = await whole(call, "chat", body);
      const { completion = parseWhole(start.json) } = start;
      return { ...describe(call, start, completion), message: messageOf(completion) };
    },

    async *events(call, body) {
      assertOneChoice(body);
      const { answer, start } = await begin(call, "chat", body, true);
      yield {
        type: "start",
        model: start.model,
        model_revision: start.modelRevision,
        cache: start.cache,
        retries: start.retries,
        fallback_from: start.fallbackFrom,
        request_id: call.requestId,
      };
      if ("stored" in answer) {
        const completion: Completion = JSON.parse(withIdentity(answer.stored, newAnswerId("chat")));
        record("chat", true, call, start, completion.usage);
        yield wholeDelta(completion);
        yield { type: "done", answer: describe(call, start, completion) };
        return;
      }
      const pieces: Uint8Array[] = [];
      const answerBody = metered(framesOf("chat", answer), true, (usage, errorKind) =>
        record("chat", true, call, start, usage, errorKind),
      );
      for await (const piece of answerBody) {
        pieces.push(piece);
        const delta = deltaOf(parseFrames([piece]));
        if (delta) yield delta;
      }
      yield { type: "done", answer: describe(call, start, toCompletion(pieces)) };
    },

    countPrompt: promptCounter(engine),
  };
};
