import { raw } from "hono/html";
import type { ConversationMessage } from "../../gateway/conversations/contract";
import type { AnswerState } from "../../gateway/conversations/generation";
import type { Feedback } from "../../gateway/feedback/contract";
import { TextAreaField } from "../ui/fields";
import { Icon, IconText } from "../ui/icon";
import { markdown } from "../ui/markdown";
import { CopyButton, RequestId } from "../ui/states";
import { AnswerDetails } from "./answer-details";
import { Rate } from "./feedback";

/** Longest question, in characters; well within the default body limit. */
export const MAX_QUESTION = 100_000;

/** Typed text that could not be sent. */
export interface Typed {
  draft: string;
  problem?: string;
}

interface QuestionProps {
  conversationId: string;
  message: ConversationMessage;
  /** Its new text while it is being edited. */
  edited?: Typed;
}

/** A question as plain text, with buttons to edit and delete it. The form to edit it opens in its place. */
const Question = ({ conversationId, message, edited }: QuestionProps) => {
  const { id, content } = message;
  const path = `/chat/${conversationId}/questions/${id}`;
  return (
    <article class="turn question" id={id}>
      <h2 class="visually-hidden">You</h2>
      <p class="said">{content}</p>
      <div class="turn-actions">
        <Versions conversationId={conversationId} message={message} />
        <a
          class="button quiet icon-button"
          href={path}
          hx-get={path}
          hx-target={`#edit-${id}`}
          hx-swap="innerHTML"
          title="Edit question"
        >
          <IconText name="edit" text="Edit question" />
        </a>
        <details class="confirm">
          <summary class="opener" title="Delete question">
            <IconText name="trash" text="Delete question" />
          </summary>
          <form class="confirmation" method="post" action={`${path}/delete`}>
            <p>Delete this question and its answer? This can’t be undone.</p>
            <button type="submit" class="danger">
              Delete question and answer
            </button>
          </form>
        </details>
      </div>
      <div id={`edit-${id}`} class="turn-form">
        {edited && <QuestionForm conversationId={conversationId} id={id} {...edited} />}
      </div>
    </article>
  );
};

/** The form to edit a question. */
export const QuestionForm = ({
  conversationId,
  id,
  draft,
  problem,
}: Typed & { conversationId: string; id: string }) => {
  const path = `/chat/${conversationId}/questions/${id}`;
  return (
    <form class="form" method="post" action={path} hx-post={path} hx-target="#turns" hx-swap="innerHTML">
      <TextAreaField
        name="question"
        id={`question-${id}`}
        label="Edit your question"
        hint="The question and its answer are kept: you can go back to them"
        value={draft}
        problem={problem}
        rows={3}
        attributes={{ required: true, autofocus: true }}
      />
      <div class="form-end">
        <button type="submit">Ask again</button>
        <a class="button secondary" href={`/chat/${conversationId}`}>
          Cancel
        </a>
      </div>
    </form>
  );
};

interface VersionsProps {
  conversationId: string;
  message: Pick<ConversationMessage, "id" | "parent_id" | "versions">;
}

/** "2 / 3" between links to the previous and next version; after the last comes the first. */
const Versions = ({ conversationId, message: { id, parent_id: parentId, versions } }: VersionsProps) => {
  const at = versions.indexOf(id);
  if (versions.length < 2 || at < 0) return null;
  const [previous, next] = [versions.at(at - 1), versions[(at + 1) % versions.length]];
  const path = `/chat/${conversationId}/versions`;
  const place = parentId ?? "first";
  return (
    <form class="versions" method="post" action={path} hx-post={path} hx-target="#turns" hx-swap="innerHTML">
      <VersionButton name="previous" place={place} version={previous} />
      <span>
        <span class="visually-hidden">Version </span>
        {at + 1} / {versions.length}
      </span>
      <VersionButton name="next" place={place} version={next} />
    </form>
  );
};

interface VersionButtonProps {
  name: "previous" | "next";
  /** Id of the message before the versions. */
  place: string;
  version: string | undefined;
}

const VersionButton = ({ name, place, version }: VersionButtonProps) => {
  const title = name === "next" ? "Next version" : "Previous version";
  return (
    <button
      type="submit"
      id={`${name}-${place}`}
      class="quiet icon-button"
      name="version"
      value={version}
      title={title}
    >
      <IconText name={name} text={title} />
    </button>
  );
};

interface AnswerProps {
  conversationId: string;
  answer: AnswerState;
  /** The user's feedback on it. */
  feedback?: Feedback;
}

/** An answer in any state. A running answer opens its own stream, also after each reload. */
export const Answer = ({ conversationId, answer, feedback }: AnswerProps) => {
  const isRunning = answer.status === "generating";
  return (
    <article class="turn answer" id={answer.id} data-status={answer.status} aria-busy={isRunning ? "true" : undefined}>
      <h2 class="visually-hidden">Answer</h2>
      <div class="prose" hx-ignore>
        {isRunning ? (
          <div id={`${answer.id}-open`} class="open">
            <Waiting model={answer.detail.model} />
          </div>
        ) : (
          raw(markdown(answer.content))
        )}
      </div>
      {isRunning ? (
        <div
          hx-sse:connect={`/chat/${conversationId}/answers/${answer.id}`}
          hx-config="sse.pauseOnBackground:false"
          hx-swap="none"
        ></div>
      ) : (
        <Ending conversationId={conversationId} answer={answer} feedback={feedback} />
      )}
    </article>
  );
};

const Waiting = ({ model }: { model: string }) => (
  <p class="waiting">
    <span class="pulse"></span>Waiting for {model}
  </p>
);

const Ending = ({ conversationId, answer, feedback }: AnswerProps) => {
  const { id, content } = answer;
  return (
    <footer>
      <Outcome conversationId={conversationId} answer={answer} />
      <div class="turn-line">
        <div class="turn-actions">
          <Versions conversationId={conversationId} message={answer} />
          {content !== "" && <CopyButton text={content} label="Copy answer" />}
          <form
            class="again"
            method="post"
            action={`/chat/${conversationId}/answers/${id}/regenerate`}
            hx-post={`/chat/${conversationId}/answers/${id}/regenerate`}
            hx-target="#turns"
            hx-swap="innerHTML"
          >
            <button type="submit" class="quiet icon-button" title="Answer again">
              <IconText name="retry" text="Answer again" />
            </button>
          </form>
          {content !== "" && <Rate conversationId={conversationId} answerId={id} feedback={feedback} />}
        </div>
        <AnswerDetails detail={answer.detail} />
      </div>
      <div id={`feedback-${id}`} class="turn-form"></div>
    </footer>
  );
};

/** Why an answer is not whole. */
const Outcome = ({ conversationId, answer: { status, content, detail } }: AnswerProps) => {
  if (status === "failed") {
    const { error } = detail;
    return (
      <div class="panel problem">
        <Icon name="alert" />
        <div>
          <p>{error?.message ?? "The answer failed."}</p>
          <p class="fine">
            {content !== "" && "The text so far is kept. "}
            {error?.retryable && "Answer again below. "}
            Request <RequestId id={detail.request_id} />
          </p>
        </div>
      </div>
    );
  }
  if (status === "stopped") return <p class="tag">Stopped</p>;
  if (status === "interrupted") return <p class="tag">Interrupted: the gateway was restarted</p>;
  if (detail.finish_reason !== "length") return null;
  if (detail.length_limit === "context_window") {
    return <p class="tag">Stopped: the context is full. Ask for a shorter answer, or start a new chat</p>;
  }
  return (
    <form class="continue" method="post" action="/chat">
      <p class="tag">Stopped at the length limit</p>
      <input type="hidden" name="conversation" value={conversationId} />
      <input type="hidden" name="question" value="Continue where you stopped." />
      <button type="submit" class="secondary">
        Continue
      </button>
    </form>
  );
};

interface TurnProps extends QuestionProps {
  feedback?: Feedback;
}

/** Any message of a conversation. */
export const Turn = ({ conversationId, message, feedback, edited }: TurnProps) =>
  message.role === "assistant" ? (
    <Answer
      conversationId={conversationId}
      answer={{ ...message, detail: message.detail ?? { model: "", request_id: "" } }}
      feedback={feedback}
    />
  ) : (
    <Question conversationId={conversationId} message={message} edited={edited} />
  );
