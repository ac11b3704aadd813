import type { AnswerState } from "../../gateway/conversations/generation";
import { AnswerText, Checked, NoMatch, ProgressSteps, sourcesText, stageText, Warnings } from "../rag/ask/answer";
import type { Asked } from "../rag/ask/asking";
import { Evidence } from "../rag/ask/evidence";
import { count, Icon } from "../ui/parts";

/**
 * An answer from an index, in the form that the *Ask* page's components use; undefined for an answer from the model
 * alone.
 */
export const askedOf = ({ id, status, content, detail }: AnswerState): Asked | undefined => {
  const { evidence } = detail;
  if (!evidence) return undefined;
  const { status: step, chunks, threshold, warning, degraded, index, citations, grounding, gone } = evidence;
  const isRunning = status === "generating" && step !== "answered" && step !== "no_relevant_context";
  return {
    question: "",
    stage: isRunning ? step : status === "complete" ? "answered" : "stopped",
    ...(step !== "searching" && { retrieval: { chunks, threshold, warning, degraded, index } }),
    ...{ text: content, citations, grounding, gone, scope: id },
  };
};

interface SourcedProps {
  answer: AnswerState;
  asked: Asked;
}

export const progressId = (answerId: string): string => `${answerId}-progress`;
export const evidenceId = (answerId: string): string => `${answerId}-evidence`;

/** Above the text of an answer from an index: its steps while it is running, and why it may be wrong. */
export const SourcedHead = ({ answer, asked }: SourcedProps) => (
  <div id={progressId(answer.id)} class="sourced-head">
    {answer.status === "generating" && <ProgressSteps asked={asked} />}
    <Warnings asked={asked} />
  </div>
);

/** The text with its citations as links. */
export const SourcedText = ({ asked }: { asked: Asked }) => <AnswerText asked={asked} />;

/** Below the text: how well the passages support it, and the passages themselves. */
export const SourcedEnd = ({ answer, asked }: SourcedProps) => (
  <>
    {answer.detail.evidence?.status === "no_relevant_context" ? (
      <NoMatch threshold={asked.retrieval?.threshold ?? null} />
    ) : (
      <Checked asked={asked} />
    )}
    <Passages answer={answer} asked={asked} />
  </>
);

/** The passages, closed until the reader opens them or follows a citation. */
export const Passages = ({ answer: { id, detail }, asked }: SourcedProps) => {
  const { index, gone } = detail.evidence ?? { gone: [] };
  const { retrieval, citations } = asked;
  if (!retrieval || !index) return <div id={evidenceId(id)}></div>;
  return (
    <details id={evidenceId(id)} class="evidence-fold">
      <summary class="evidence-summary">
        <Icon name="documents" />
        <span>
          {gone.length > 0 && retrieval.chunks.length === 0
            ? `Passages from ${index.name}: no longer available`
            : `${count(retrieval.chunks.length, "passage")} from ${index.name}${sourcesText(citations)}${gone.length > 0 ? ". Others are no longer available" : ""}`}
        </span>
      </summary>
      <div class="evidence-list">
        {gone.length > 0 && <Gone asked={asked} />}
        <Evidence indexId={index.id} asked={asked} />
        <p class="fine">
          Index version {index.version}, revision {index.revision}
        </p>
      </div>
    </details>
  );
};

/** Lists the cited documents that were deleted or that the key may not use. */
const Gone = ({ asked: { citations, gone = [] } }: { asked: Asked }) => {
  const titles = new Set(
    citations.filter((each) => gone.includes(each.document_id)).map((each) => each.document_title),
  );
  const names = [...titles].join(", ");
  return (
    <p class="panel notice">
      <Icon name="alert" />
      <span>
        {names === "" ? "Some passages are" : `${names}: the passages are`} no longer available, because the document
        was deleted or you no longer have access to it.
      </span>
    </p>
  );
};

/** Announced by screen readers: at most one sentence per step. */
export const stepText = (asked: Asked): string => (asked.stage === "checking" ? "" : stageText(asked));
