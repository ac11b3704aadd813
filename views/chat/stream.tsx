import { raw } from "hono/html";
import type { AnswerState } from "../../gateway/conversations/generation";
import { GrowingMarkdown, type Update } from "../ui/growing-markdown";
import { SSE_HELLO, sseMessage } from "../ui/html";
import { count } from "../ui/parts";
import { ContextUpdate } from "./context";
import { askedOf, evidenceId, Passages, progressId, SourcedHead, SourcedText, stepText } from "./evidence";
import { Answer, Waiting } from "./turn";

/** Interval between updates. 25 updates per second look like typing and leave the browser idle in between. */
export const UPDATE_MS = 40;

/**
 * The states of one answer as messages for hx-sse. A finished block is sent once, and the open block is replaced. The
 * last message is the complete answer, as after a reload. A reconnecting page starts over, so no text appears twice.
 */
export async function* answerMessages(
  conversationId: string,
  states: AsyncIterable<AnswerState>,
): AsyncGenerator<string> {
  let growing: GrowingMarkdown | undefined;
  let step: string | undefined;
  yield SSE_HELLO;
  for await (const answer of states) {
    const { evidence } = answer.detail;
    if (answer.status !== "generating") {
      yield await sseMessage(<Whole conversationId={conversationId} answer={answer} />);
      continue;
    }
    if (evidence && evidence.status !== step) {
      step = evidence.status;
      yield await sseMessage(<Step answer={answer} />);
    }
    // The markers of the text have become links, and the text no longer grows.
    if (answer.content !== "" && step !== "checking") {
      const isFirst = growing === undefined;
      growing ??= new GrowingMarkdown(`${answer.id}-tail`);
      const update = growing.update(answer.content);
      yield await sseMessage(isFirst ? Beginning({ id: answer.id, update }) : Growth({ id: answer.id, update }));
    }
  }
}

/** The next step of an answer from an index. The passages appear as soon as they are found. */
const Step = ({ answer }: { answer: AnswerState }) => {
  const asked = askedOf(answer);
  if (!asked) return null;
  const isText = answer.content !== "";
  return (
    <>
      <hx-partial hx-target={`#${progressId(answer.id)}`} hx-swap="outerMorph">
        <SourcedHead answer={answer} asked={asked} />
      </hx-partial>
      {asked.stage === "checking" && (
        <hx-partial hx-target={`#${answer.id} > .prose`} hx-swap="innerHTML">
          <SourcedText asked={asked} />
        </hx-partial>
      )}
      {asked.stage === "writing" && !isText && (
        <hx-partial hx-target={`#${answer.id}-open`} hx-swap="innerHTML">
          <Waiting answer={answer} />
        </hx-partial>
      )}
      <hx-partial hx-target={`#${evidenceId(answer.id)}`} hx-swap="outerMorph">
        <Passages answer={answer} asked={asked} />
      </hx-partial>
      {stepText(asked) && (
        <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
          {stepText(asked)}
        </hx-partial>
      )}
    </>
  );
};

interface GrowthProps {
  /** Id of the answer. */
  id: string;
  update: Update;
}

const Beginning = ({ id, update }: GrowthProps) => (
  <hx-partial hx-target={`#${id} > .prose`} hx-swap="innerHTML">
    {raw(update.finished ?? "")}
    <div id={`${id}-open`} class="open">
      {raw(update.open ?? "")}
    </div>
  </hx-partial>
);

const Growth = ({ id, update: { finished, open, tail } }: GrowthProps) =>
  open === undefined ? (
    <hx-partial hx-target={`#${id}-tail`} hx-swap="beforeend">
      {raw(tail)}
    </hx-partial>
  ) : (
    <>
      {finished && (
        <hx-partial hx-target={`#${id}-open`} hx-swap="beforebegin">
          {raw(finished)}
        </hx-partial>
      )}
      <hx-partial hx-target={`#${id}-open`} hx-swap="innerMorph">
        {raw(open)}
      </hx-partial>
    </>
  );

const Whole = ({ conversationId, answer }: { conversationId: string; answer: AnswerState }) => (
  <>
    <hx-partial hx-target={`#${answer.id}`} hx-swap="outerMorph">
      <Answer conversationId={conversationId} answer={answer} />
    </hx-partial>
    <ContextUpdate answer={answer} />
    <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
      {endingOf(answer)}
    </hx-partial>
  </>
);

/** The sentence that a screen reader announces at the end. */
const endingOf = (answer: AnswerState): string => {
  const { status, content, detail } = answer;
  const words = count(content.split(/\s+/).filter(Boolean).length, "word");
  if (status === "complete" && detail.evidence?.status === "no_relevant_context")
    return "No relevant passage was found";
  if (status === "complete") return `Answer ready, ${words}`;
  return status === "stopped" ? `Stopped after ${words}` : "The answer failed";
};
