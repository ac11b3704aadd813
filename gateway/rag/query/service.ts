import { newId } from "../../../lib/ids";
import { round } from "../../../lib/round";
import type { Tracer } from "../../../lib/tracing/tracer";
import type { AnswerCache } from "../../cache/service";
import type { Call } from "../../call";
import type { ChatAnswer, ChatCompletionRequest } from "../../chat/contract";
import type { ChatService } from "../../chat/service";
import type { ScoredAnswer } from "../../evals/scored-answer";
import type { GroundedAnswer } from "../../evals/scorers/faithfulness/ground-answer";
import type { RagAnswer, RagEvent, RagQuery } from "../contract";
import { findCitations, readMarkers, sourcesOf } from "./citations";
import { toGrounding } from "./grounding";
import { cacheBypass, cacheParts, type PlanDeps, planQuery, type QueryPlan } from "./plan";
import { fitPrompt, type Prompt } from "./prompt";
import { isWorthStoring, replay } from "./replay";
import type { OpenIndex, Retrieval, RetrieveDeps, SufficiencyCheck } from "./retrieve";
import { tracedRetrieval } from "./traced-retrieval";

interface RagDeps extends PlanDeps, RetrieveDeps {
  chat: Pick<ChatService, "answer" | "events" | "countPrompt">;
  answers: Pick<AnswerCache, "entries">;
  tracer?: Tracer;
  /** Receives the milliseconds of each stage of an answer that was not cached. */
  recordStages?(stagesMs: Retrieval["stagesMs"] & Generated["stagesMs"]): void;
  /** Compares texts off the main thread. */
  scoring: SufficiencyCheck & { ground(call: Pick<Call, "signal">, answer: ScoredAnswer): Promise<GroundedAnswer> };
}

/** The parts of an answer that depend on whether a model generated it. */
interface Generated
  extends Pick<
    RagAnswer,
    | "status"
    | "answer"
    | "citations"
    | "sources"
    | "grounding"
    | "model"
    | "model_revision"
    | "template_version"
    | "finish_reason"
    | "usage"
  > {
  latency?: RagAnswer["latency"];
  contextTokens: number;
  dropped: number;
  removedMarkers: number;
  stagesMs: { prompt?: number; generation?: number; grounding?: number };
}

/** Maximum number of searches per query, if the index changes each time. */
const MAX_RETRIEVALS = 5;

const notGenerated = (status: RagAnswer["status"], answer: string | null): Generated => ({
  status,
  answer,
  citations: [],
  sources: [],
  grounding: null,
  model: null,
  model_revision: null,
  template_version: null,
  finish_reason: null,
  usage: null,
  contextTokens: 0,
  dropped: 0,
  removedMarkers: 0,
  stagesMs: {},
});

/**
 * Answers questions from an index. Every method throws not_found if the index does not exist or the key may not use it,
 * conflict if the nodes have a different revision of its embedding model, invalid_request, and what the embedding and
 * chat services throw.
 */
export const createRag = (deps: RagDeps) => {
  const { chat, answers, scoring, tracer } = deps;
  const retrieve = tracedRetrieval(deps);

  /** Searches again if the index changed before its chunks were read, so that no document is missing. */
  const retrieveNewest = async (
    call: Call,
    plan: QueryPlan,
    triesLeft = MAX_RETRIEVALS,
  ): Promise<{ index: OpenIndex; retrieval: Retrieval }> => {
    const { body, index, settings } = plan;
    const retrieval = await retrieve(call, index, settings, body);
    if (!retrieval.mayBeOutdated || triesLeft === 1) return { index, retrieval };
    const newest = await deps.indexes.open(call.principal, body.index);
    if (newest.revision === index.revision) return { index, retrieval };
    return retrieveNewest(call, { ...plan, index: newest }, triesLeft - 1);
  };

  const buildPrompt = (call: Call, plan: QueryPlan, { chunks }: Retrieval): Promise<Prompt> => {
    const { body, model, template, maxTokens, settings } = plan;
    return fitPrompt({
      question: body.question,
      history: body.history ?? [],
      chunks,
      template,
      window: model?.window ?? null,
      maxTokens,
      maxContextTokens: settings.max_context_tokens,
      count: (messages) => chat.countPrompt(call, model?.id ?? "", messages),
    });
  };

  /** Yields the tokens as they arrive, and returns the complete answer. */
  const generate = async function* (
    call: Call,
    { body, model, maxTokens, temperature }: QueryPlan,
    { messages }: Prompt,
  ): AsyncGenerator<RagEvent, ChatAnswer> {
    const request: ChatCompletionRequest = {
      model: model?.id,
      messages,
      max_tokens: maxTokens,
      temperature,
      seed: body.seed,
    };
    if (!body.stream) return await chat.answer(call, request);
    let content = "";
    for await (const event of chat.events(call, { ...request, stream: true })) {
      if (event.type === "done") return { ...event.answer, message: { role: "assistant", content } };
      if (event.type !== "delta" || event.text === "") continue;
      content += event.text;
      yield { type: "token", text: event.text };
    }
    throw new Error("The chat service's stream ended without its last event.");
  };

  /** Generates the answer, then adds citations and grounding. `announce` creates the event before the first token. */
  const answer = async function* (
    call: Call,
    plan: QueryPlan,
    retrieval: Retrieval,
    announce: (contexts: Prompt["contexts"]) => RagEvent,
  ): AsyncGenerator<RagEvent, Generated> {
    const { question, grounding: isGrounded = true } = plan.body;
    const startedAt = performance.now();
    const prompt = await buildPrompt(call, plan, retrieval);
    const { contexts } = prompt;
    yield announce(contexts);

    const promptedAt = performance.now();
    const generated = yield* generate(call, plan, prompt);
    const generatedAt = performance.now();

    const marked = readMarkers(generated.message.content, contexts.length);
    const texts = contexts.map(({ text }) => text);
    const grounded = await scoring.ground(call, { question, references: [], contexts: texts, output: marked.answer });
    const citations = findCitations(marked, contexts, grounded);
    tracer
      ?.start("grounding", {
        kind: "internal",
        parent: call.traceparent,
        at: generatedAt,
        attributes: { "groundwire.citations": citations.length, "groundwire.removed_markers": marked.removed },
      })
      .end();
    yield { type: "citations", answer: marked.answer, citations };
    const grounding = isGrounded ? toGrounding(grounded, contexts) : null;
    if (grounding) yield { type: "grounding", grounding };
    return {
      status: "answered",
      answer: marked.answer,
      citations,
      sources: sourcesOf(citations, contexts),
      grounding,
      model: generated.model,
      model_revision: generated.model_revision,
      template_version: plan.template.reference,
      finish_reason: generated.finish_reason,
      usage: generated.usage,
      latency: generated.latency,
      contextTokens: prompt.contextTokens,
      dropped: prompt.dropped,
      removedMarkers: marked.removed,
      stagesMs: {
        prompt: promptedAt - startedAt,
        generation: generatedAt - promptedAt,
        grounding: performance.now() - generatedAt,
      },
    };
  };

  const compute = async function* (
    call: Call,
    plan: QueryPlan,
    cache: RagAnswer["cache"],
  ): AsyncGenerator<RagEvent, RagAnswer> {
    const { body, settings } = plan;
    const { index, retrieval } = await retrieveNewest(call, plan);
    const details = {
      threshold: retrieval.threshold,
      warning: retrieval.warning,
      degraded: retrieval.degraded,
      index: { id: index.id, name: index.name, revision: index.revision, version: index.version },
    };
    let chunks = retrieval.retrieved;
    const announce = (contexts: Prompt["contexts"]): RagEvent => {
      const numberOf = new Map(contexts.flatMap((context) => context.chunks.map(({ id }) => [id, context.number])));
      chunks = chunks.map((chunk) => ({ ...chunk, context: numberOf.get(chunk.id) ?? null }));
      return { type: "retrieval", chunks, ...details, cache };
    };
    const withoutModel = async function* (made: Generated): AsyncGenerator<RagEvent, Generated> {
      yield announce([]);
      if (made.answer) yield { type: "token", text: made.answer };
      return made;
    };

    const { latency, contextTokens, dropped, removedMarkers, stagesMs, ...made } = yield* body.generate === false
      ? withoutModel(notGenerated("retrieved", null))
      : retrieval.isRelevant
        ? answer(call, plan, retrieval, announce)
        : withoutModel(notGenerated("no_relevant_context", settings.fallback_text));
    deps.recordStages?.({ ...retrieval.stagesMs, ...stagesMs });
    const cited = new Set(made.citations.map(({ chunk_id }) => chunk_id));
    const total = round(performance.now() - call.receivedAt, 2);
    return {
      id: newId("rag"),
      ...made,
      chunks: chunks.map((chunk) => ({ ...chunk, cited: cited.has(chunk.id) })),
      ...details,
      diagnostics: {
        stages_ms: { ...rounded({ ...retrieval.stagesMs, ...stagesMs }), total },
        vector_candidates: retrieval.vectorCandidates,
        keyword_candidates: retrieval.keywordCandidates,
        reranked: retrieval.isReranked,
        context_tokens: contextTokens,
        dropped_contexts: dropped,
        removed_markers: removedMarkers,
      },
      latency: { queue: latency?.queue ?? 0, ttft: latency?.ttft ?? total, total },
      cache,
      request_id: call.requestId,
    };
  };

  /** Yields all events except the last, and returns the answer. */
  const run = async function* (call: Call, body: RagQuery): AsyncGenerator<RagEvent, RagAnswer> {
    const plan = await planQuery(deps, call, body);
    const { principal, directives } = call;
    const { values, report, keep } = await answers.entries(
      {
        keyId: principal.keyId,
        tags: [
          `index:${plan.index.id}`,
          ...[plan.model, plan.reranker].flatMap((model) => (model ? [`model:${model.id}`] : [])),
        ],
        bypass: cacheBypass(plan),
        // Answers to keys without content logging are not stored.
        directives: principal.contentLogging ? directives : { ...directives, noStore: true },
      },
      [cacheParts(plan)],
    );
    const [stored] = values;
    if (stored !== undefined) return yield* replay(JSON.parse(stored), call, report);
    const computed = yield* compute(call, plan, report);
    // The answer of a fallback model must not be stored as the requested model's.
    const isOwn = computed.model === null || computed.model === plan.model?.id;
    if (isOwn && isWorthStoring(computed)) await keep(0, JSON.stringify(computed));
    return computed;
  };

  return {
    async query(call: Call, body: RagQuery): Promise<RagAnswer> {
      const events = run(call, { ...body, stream: false });
      for (;;) {
        const { done, value } = await events.next();
        if (done) return value;
      }
    },

    /** Streams the answer. Leaving the loop early stops the generation. */
    async *events(call: Call, body: RagQuery): AsyncGenerator<RagEvent, void, undefined> {
      yield { type: "done", answer: yield* run(call, { ...body, stream: true }) };
    },
  };
};

export type RagService = ReturnType<typeof createRag>;

const rounded = (stages: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(Object.entries(stages).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, round(ms, 2)]])));
