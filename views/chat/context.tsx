import { contextOf } from "../../gateway/conversations/context";
import type { ConversationContext } from "../../gateway/conversations/contract";
import type { AnswerState } from "../../gateway/conversations/generation";

/** Fraction of the context window from which the page shows a warning. */
const NEARLY_FULL = 0.8;

const number = new Intl.NumberFormat("en");

/** "Context: 2,150 of 4,096 tokens", and a warning when it is nearly full. Empty for a new chat. */
export const ContextMeter = ({ context }: { context?: ConversationContext }) => {
  const { window, used_tokens: used = 0 } = context ?? {};
  if (!window || used === 0) return <div id="context-meter"></div>;
  const isNearlyFull = used >= window * NEARLY_FULL;
  const text = `Context: ${number.format(used)} of ${number.format(window)} tokens`;
  return (
    <div id="context-meter" class={isNearlyFull ? "context-meter nearly-full" : "context-meter"}>
      <meter
        aria-hidden="true"
        min={0}
        max={window}
        value={Math.min(used, window)}
        high={window * NEARLY_FULL}
        optimum={0}
      ></meter>
      <p>
        {text}
        {isNearlyFull && <strong>. Nearly full: the oldest messages will be left out</strong>}
      </p>
    </div>
  );
};

/**
 * A divider above the first message that the model saw. Hidden if the model saw all messages, but always rendered, so
 * that it can be moved.
 */
export const ContextDivider = ({ isShown }: { isShown: boolean }) => (
  <p id="context-divider" class="context-divider" hidden={!isShown}>
    The model no longer sees the messages above because they don’t fit in its context
  </p>
);

/** Updates meter and divider at the end of an answer. */
export const ContextUpdate = ({ answer }: { answer: AnswerState }) => {
  // An answer from an index doesn't record its window. The next page that is loaded shows the meter.
  if (answer.detail.evidence) return null;
  const first = answer.detail.context?.first_message_id;
  return (
    <>
      <hx-partial hx-target="#context-meter" hx-swap="outerHTML">
        <ContextMeter context={contextOf([{ ...answer, role: "assistant" }], null)} />
      </hx-partial>
      {first && (
        <>
          <hx-partial hx-target="#context-divider" hx-swap="delete"></hx-partial>
          <hx-partial hx-target={`#${first}`} hx-swap="beforebegin">
            <ContextDivider isShown />
          </hx-partial>
        </>
      )}
    </>
  );
};
