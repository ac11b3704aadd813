import { raw } from "hono/html";
import type { RagAnswer } from "../../../gateway/rag/contract";
import type { Citation } from "../../../gateway/retrieval-contract";
import { stops } from "../../ui/fields";
import { count, duration, Facts, Icon, number, Panel, RequestId } from "../../ui/parts";
import { Steps } from "../state";
import { score } from "../words";
import { answerHtml } from "./answer-text";
import { type Asked, isFound } from "./asking";
import { Diagnostics } from "./diagnostics";
import { passageId } from "./evidence";

const STEPS = ["Search", "Write", "Check sources"];
const POSITIONS: Readonly<Record<Asked["stage"], number>> = {
  searching: 0,
  writing: 1,
  checking: 2,
  answered: STEPS.length,
  stopped: STEPS.length,
};

/** The step of an answer in progress, as a sentence for everyone. */
export const stageText = ({ stage, retrieval, text, answer, citations }: Asked): string => {
  if (stage === "searching") return "Searching the documents…";
  if (stage === "writing") {
    const passages = count(retrieval?.chunks.length ?? 0, "passage");
    return `Found ${passages}. ${text === "" ? "Waiting for the model…" : "Writing the answer…"}`;
  }
  if (stage === "checking") return "Checking each sentence against the passages…";
  if (stage === "stopped") return "Stopped.";
  if (answer?.status === "no_relevant_context") return "No relevant passage was found.";
  const found = citations.filter(isFound).length;
  if (found > 0 && found === citations.length) {
    return `Answer ready. The model cited no passage, and Groundwire found ${found}.`;
  }
  return `Answer ready, ${count(citations.length - found, "citation")}.`;
};

/** Takes the focus from the button that asked, which is disabled in the meantime. */
export const AskedQuestion = ({ asked }: { asked: Asked }) => (
  <h2 dir="auto" tabindex={-1} data-takes-focus>
    {asked.question}
  </h2>
);

/** An answer in progress. `stopPath`: where its Stop button posts to. */
export const Running = ({ asked, stopPath }: { asked: Asked; stopPath: string }) => (
  <article class="card rag-answer">
    <AskedQuestion asked={asked} />
    <RunningSteps asked={asked} />
    <div id="answer-warning"></div>
    <div id="answer-text" class="prose" hx-ignore>
      <div class="skeleton" aria-hidden="true">
        <span></span>
        <span></span>
      </div>
    </div>
    <div id="answer-end">
      <form method="post" action={stopPath}>
        <button id="stop-answer" type="submit" class="secondary" {...stops(stopPath)}>
          Stop
        </button>
      </form>
    </div>
  </article>
);

export const RunningSteps = ({ asked }: { asked: Asked }) => (
  <div id="answer-steps">
    <ProgressSteps asked={asked} />
  </div>
);

export const ProgressSteps = ({ asked }: { asked: Asked }) => (
  <Steps label="Progress of the answer" steps={STEPS} at={POSITIONS[asked.stage]} />
);

const DEGRADED = {
  keyword_only: "The vector store is down, so this search used only keywords. Try again later.",
  vectors_missing:
    "Some documents are still being uploaded to the vector store, so this search matched them only by keywords.",
  not_reranked: "Reranking was not possible, so the passages are in the order of the search. Try again later.",
} as const;

/** Why the passages may not answer the question, and how the search was limited. */
export const Warnings = ({ asked: { retrieval } }: { asked: Asked }) => (
  <>
    {[retrieval?.degraded && DEGRADED[retrieval.degraded], retrieval?.warning].map(
      (text) =>
        text && (
          <div class="panel notice">
            <Icon name="alert" />
            <p>{text}</p>
          </div>
        ),
    )}
  </>
);

/** The text with its citations as links, while the sentences are being checked and afterwards. */
export const AnswerText = ({ asked }: { asked: Asked }) => {
  const { text, citations, grounding, retrieval, gone = [], scope } = asked;
  const sources = new Map(retrieval?.chunks.map((chunk) => [chunk.id, chunk.document_title]));
  const linkOf = (citation: Citation): string => {
    const { marker, chunk_id: chunkId, document_id: documentId, document_title: title, page } = citation;
    const place = [sources.get(chunkId) ?? title, page !== null && `page ${page}`].filter(Boolean).join(", ");
    const label = isFound(citation) ? `Passage ${marker}, found by Groundwire: ${place}` : `Source ${marker}: ${place}`;
    const text = isFound(citation) ? `≈${marker}` : `[${marker}]`;
    const look = isFound(citation) ? "citation found" : "citation";
    if (gone.includes(documentId)) {
      const note = `<span class="visually-hidden"> (no longer available)</span>`;
      return `<span class="${look} gone" title="${Bun.escapeHTML(title)}: no longer available">${text}${note}</span>`;
    }
    return `<a class="${look}" href="#${passageId(chunkId, scope)}" aria-label="${Bun.escapeHTML(label)}" title="${Bun.escapeHTML(label)}">${text}</a>`;
  };
  return <>{raw(answerHtml({ answer: text, citations, sentences: grounding?.sentences ?? [], linkOf }))}</>;
};

/** The complete answer with what supports it. */
export const Answered = ({ asked, answer }: { asked: Asked; answer: RagAnswer }) => (
  <article class="card rag-answer">
    <AskedQuestion asked={asked} />
    <Warnings asked={asked} />
    <div id="answer-text" class="prose" hx-ignore>
      <AnswerText asked={asked} />
    </div>
    <Checked asked={asked} />
    <Sources answer={answer} />
    <Details answer={answer} />
    <Diagnostics answer={answer} />
  </article>
);

/** How well the passages support the answer, and what its marks mean. */
export const Checked = ({ asked: { citations, grounding } }: { asked: Asked }) => {
  const found = citations.find(isFound);
  const isUnsure = grounding?.sentences.some(({ verdict }) => verdict !== "supported");
  return (
    <>
      <Support grounding={grounding} />
      {(found || isUnsure) && (
        <p class="fine">
          {found && (
            <>
              <span class="citation found">≈{found.marker}</span> passage found by Groundwire for a sentence without a
              citation.{" "}
            </>
          )}
          {isUnsure && "Underlined sentences are not fully supported by any passage."}
        </p>
      )}
    </>
  );
};

/** How much of the answer the passages support. */
const Support = ({ grounding }: Pick<Asked, "grounding">) => {
  if (!grounding || grounding.supported === null || grounding.sentences.length === 0) return null;
  const { sentences } = grounding;
  const supported = sentences.filter(({ verdict }) => verdict === "supported").length;
  const isWhole = supported === sentences.length;
  return (
    <p>
      <span class={`state ${isWhole ? "good" : supported === 0 ? "bad" : "fair"}`}>
        {supportText(sentences.length, supported, sentences[0]?.verdict)}
      </span>
    </p>
  );
};

const ONE_SENTENCE = {
  supported: "The passages support this sentence",
  partly: "The passages partly support this sentence",
  unsupported: "No passage supports this sentence",
} as const;

const supportText = (
  sentences: number,
  supported: number,
  first: keyof typeof ONE_SENTENCE = "unsupported",
): string => {
  if (sentences === 1) return ONE_SENTENCE[first];
  if (supported === 0) return `The passages support none of the ${sentences} sentences`;
  return `The passages support ${supported === sentences ? "all" : `${supported} of`} ${sentences} sentences`;
};

/** ", 2 cited", or what Groundwire found if the model cited nothing; empty without citations. */
export const sourcesText = (citations: Asked["citations"]): string => {
  const passagesOf = (cited: Asked["citations"]) => new Set(cited.map(({ chunk_id }) => chunk_id)).size;
  const [cited, found] = [
    passagesOf(citations.filter((each) => !isFound(each))),
    passagesOf(citations.filter(isFound)),
  ];
  return cited > 0 ? `, ${cited} cited` : found > 0 ? `, ${found} found by Groundwire` : "";
};

/** The score that a threshold applies to. Except for `relevance`, the list of passages shows the same score. */
const THRESHOLD_SCORES: Readonly<Record<NonNullable<RagAnswer["threshold"]>["score"], string>> = {
  relevance: "relevance",
  vector: "score by meaning",
  fused: "combined score",
  rerank: "reranker score",
};

/** No passage was good enough, so no model was called. Shows how close the best one was. */
export const NoMatch = ({ threshold }: Pick<RagAnswer, "threshold">) => {
  const best = threshold?.best ?? null;
  if (best === null || !threshold) {
    return (
      <Panel title="No relevant passage was found">No passage matches the question, so the model was not called.</Panel>
    );
  }
  const { value } = threshold;
  const name = THRESHOLD_SCORES[threshold.score];
  return (
    <>
      <Panel title="No relevant passage was found">
        {`The highest ${name} is ${score(best)}, below the threshold of ${score(value)}, so the model was not called.`}
      </Panel>
      <p class="score-scale">
        <meter class="bad" min={0} max={value} value={Math.max(0, best)} aria-label={`Highest ${name}`}></meter>
        <span class="fine">{`${score(best)} of the ${score(value)} needed`}</span>
      </p>
    </>
  );
};

const Sources = ({ answer: { sources, index } }: { answer: RagAnswer }) =>
  sources.length > 0 && (
    <p class="sources">
      Sources:{" "}
      {sources.map(({ document_id: id, title }, position) => [
        position > 0 && ", ",
        <a href={`/rag/${index.id}/documents/${id}`}>{title}</a>,
      ])}
    </p>
  );

/** "184 tokens · first token 118 ms", with details to expand. */
const Details = ({ answer }: { answer: RagAnswer }) => {
  const { usage, latency, cache, model, model_revision: revision, index, diagnostics } = answer;
  const short = [
    usage && count(usage.completion_tokens, "token"),
    cache.status === "hit" && (cache.stale ? "from the cache, expired" : "from the cache"),
    duration(diagnostics.stages_ms.total),
  ].filter(Boolean);
  return (
    <details class="facts">
      <summary>{short.join(" · ")}</summary>
      <Facts
        rows={[
          ["Model", [model, revision].filter(Boolean).join(" @ ")],
          ["Index", `${index.name}, version ${index.version}, revision ${number(index.revision)}`],
          ["Prompt", answer.template_version],
          ["Tokens", usage && `${number(usage.prompt_tokens)} in, ${number(usage.completion_tokens)} out`],
          ["Tokens of passages", number(diagnostics.context_tokens)],
          ["First token", model && duration(latency.ttft)],
          ["Finish reason", answer.finish_reason],
          ["Checked by", answer.grounding?.evaluator],
          ["Cache", cache.status],
          ["Request", <RequestId id={answer.request_id} />],
        ]}
      />
    </details>
  );
};
