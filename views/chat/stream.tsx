import type { Child } from "hono/jsx";
import type { AnswerState } from "../../gateway/conversations/generation";
import { GROWTH } from "../ui/growing-markdown";
import { type Node, SSE_HELLO, sseMessage } from "../ui/html";
import { count } from "../ui/parts";
import { ContextUpdate } from "./context";
import { askedOf, evidenceId, Passages, progressId, SourcedHead, SourcedText, stepText } from "./evidence";
import { GrowingText } from "./growing-text";
import { Calls, callsId, isReasoning, Reasoning, ReasoningTitle, reasoningId } from "./steps";
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
  let shown: ShownAnswer | undefined;
  let step: string | undefined;
  yield SSE_HELLO;
  for await (const answer of states) {
    const { evidence } = answer.detail;
    shown ??= new ShownAnswer(answer.id);
    if (answer.status !== "generating") {
      yield await sseMessage(<Whole conversationId={conversationId} answer={answer} />);
      continue;
    }
    if (evidence && evidence.status !== step) {
      step = evidence.status;
      yield await sseMessage(<Step answer={answer} />);
    }
    for (const change of shown.stepsOf(answer)) yield await sseMessage(change);
    // The markers of the text have become links, and the text no longer grows.
    const growth = step === "checking" ? undefined : shown.text.update(answer.content);
    if (growth) yield await sseMessage(growth);
  }
}

/** Tracks how much of a running answer the page shows. */
class ShownAnswer {
  readonly text: GrowingText;
  readonly #reasoning: GrowingText;
  #isReasoning = true;
  /** Size of the function calls as JSON. */
  #callsLength = 0;

  constructor(private readonly id: string) {
    this.text = new GrowingText(`#${id} > .prose`, id);
    this.#reasoning = new GrowingText(`#${reasoningId(id)} > .prose`, reasoningId(id));
  }

  /** Page updates for the reasoning and the function calls so far. */
  *stepsOf(answer: AnswerState): Generator<Node> {
    const { reasoning, tool_calls: calls } = answer;
    if (reasoning !== null) {
      if (this.#reasoning.isEmpty) {
        yield <Replacement id={reasoningId(this.id)} with={<Reasoning answer={answer} />} />;
        yield this.#withoutWaiting();
      }
      const growth = this.#reasoning.update(reasoning);
      if (growth) yield growth;
      if (this.#isReasoning && !isReasoning(answer)) {
        this.#isReasoning = false;
        yield (
          <hx-partial hx-target={`#${reasoningId(this.id)} > summary`} hx-swap="innerHTML">
            <ReasoningTitle answer={answer} />
          </hx-partial>
        );
      }
    }
    // Calls are only sent again once they have grown by a fraction, so the total sent stays linear in their size.
    const length = calls === null ? 0 : JSON.stringify(calls).length;
    if (length > this.#callsLength * (1 + GROWTH)) {
      if (this.#callsLength === 0) yield this.#withoutWaiting();
      this.#callsLength = length;
      yield <Replacement id={callsId(this.id)} with={<Calls answer={answer} />} />;
    }
  }

  #withoutWaiting = (): Node => <hx-partial hx-target={`#${this.id} .waiting`} hx-swap="delete"></hx-partial>;
}

const Replacement = ({ id, with: element }: { id: string; with: Child }) => (
  <hx-partial hx-target={`#${id}`} hx-swap="outerMorph">
    {element}
  </hx-partial>
);

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
  const { status, content, detail, tool_calls: calls } = answer;
  const words = count(content.split(/\s+/).filter(Boolean).length, "word");
  if (status === "complete" && detail.evidence?.status === "no_relevant_context")
    return "No relevant passage was found";
  const named = calls?.map(({ function: called }) => called.name).join(", ");
  if (status === "complete") return named ? `The model calls ${named}` : `Answer ready, ${words}`;
  return status === "stopped" ? `Stopped after ${words}` : "The answer failed";
};
