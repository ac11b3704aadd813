import { raw } from "hono/html";
import type { AnswerDetail, ConversationMessage } from "../../gateway/conversations/contract";
import type { AnswerState } from "../../gateway/conversations/generation";
import { resultsOf } from "../../gateway/conversations/prompt";
import { toState } from "../../gateway/conversations/wire";
import type { Feedback } from "../../gateway/feedback/contract";
import { Confirm, fieldsOf, posts } from "../ui/fields";
import { markdown } from "../ui/markdown";
import { ButtonLink, CopyButton, count, duration, Facts, Icon, IconButton, IconText, RequestId } from "../ui/parts";
import { askedOf, Passages, SourcedEnd, SourcedHead, SourcedText } from "./evidence";
import { Rate } from "./feedback";
import { Calls, OrphanResult, Reasoning, type Results } from "./steps";

/** Typed text that could not be sent. */
export interface Typed {
  draft: string;
  problem?: string;
}

interface QuestionProps {
  conversationId: string;
  message: ConversationMessage;
  /** The question's new text while the user edits it. */
  edited?: Typed;
}

/** A question as plain text, with buttons to edit and delete it. The edit form replaces the text. */
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
        <Confirm
          opener={<IconText name="trash" text="Delete question" />}
          title="Delete question"
          action={`${path}/delete`}
          submit="Delete question and answer"
        >
          Delete this question and its answer? This can’t be undone.
        </Confirm>
      </div>
      <div id={`edit-${id}`} class="turn-form">
        {edited && <QuestionForm conversationId={conversationId} id={id} {...edited} />}
      </div>
    </article>
  );
};

interface QuestionFormProps extends Typed {
  conversationId: string;
  /** Id of the question. */
  id: string;
}

export const QuestionForm = ({ conversationId, id, draft, problem }: QuestionFormProps) => {
  const path = `/chat/${conversationId}/questions/${id}`;
  return (
    <form class="form" {...posts(path, "#turns")}>
      {fieldsOf({ question: draft }, problem ? { question: problem } : {}).area("question", "Edit your question", {
        id: `question-${id}`,
        hint: "The earlier question and its answer are kept: you can switch back to them",
        required: true,
        autofocus: true,
      })}
      <div class="form-end">
        <button type="submit">Ask again</button>
        <ButtonLink href={`/chat/${conversationId}`} text="Cancel" look="button secondary" />
      </div>
    </form>
  );
};

interface VersionsProps {
  conversationId: string;
  message: Pick<ConversationMessage, "id" | "parent_id" | "versions">;
}

/** "2 / 3" between buttons for the previous and next version. The version after the last is the first. */
const Versions = ({ conversationId, message: { id, parent_id: parentId, versions } }: VersionsProps) => {
  const at = versions.indexOf(id);
  if (versions.length < 2 || at < 0) return null;
  const button = (icon: "previous" | "next", label: string, version: string | undefined) => (
    <IconButton id={`${icon}-${parentId ?? "first"}`} name="version" value={version} icon={icon} label={label} />
  );
  return (
    <form class="versions" {...posts(`/chat/${conversationId}/versions`, "#turns")}>
      {button("previous", "Previous version", versions.at(at - 1))}
      <span>
        <span class="visually-hidden">Version </span>
        {at + 1} / {versions.length}
      </span>
      {button("next", "Next version", versions[(at + 1) % versions.length])}
    </form>
  );
};

interface AnswerProps {
  conversationId: string;
  answer: AnswerState;
  /** The user's feedback on the answer. */
  feedback?: Feedback;
  /** Results of the answer's function calls. */
  results?: Results;
}

/** An answer in any state. An answer in progress connects to its stream, even after a reload. */
export const Answer = ({ conversationId, answer, feedback, results }: AnswerProps) => {
  const isRunning = answer.status === "generating";
  const asked = askedOf(answer);
  const hasText = isRunning || answer.content !== "" || asked !== undefined;
  return (
    <article class="turn answer" id={answer.id} data-status={answer.status} aria-busy={isRunning ? "true" : undefined}>
      <h2 class="visually-hidden">Answer</h2>
      {asked && <SourcedHead answer={answer} asked={asked} />}
      <Reasoning answer={answer} />
      {hasText && (
        <div class="prose" hx-ignore>
          {isRunning ? (
            <div id={`${answer.id}-open`} class="open">
              <Waiting answer={answer} />
            </div>
          ) : asked ? (
            <SourcedText asked={asked} />
          ) : (
            raw(markdown(answer.content))
          )}
        </div>
      )}
      <Calls answer={answer} results={results} />
      {asked && (isRunning ? <Passages {...{ answer, asked }} /> : <SourcedEnd {...{ answer, asked }} />)}
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

export const Waiting = ({ answer: { detail } }: { answer: AnswerState }) => (
  <p class="waiting">
    <span class="pulse"></span>
    {detail.evidence?.status === "searching"
      ? `Searching ${detail.evidence.index.name}`
      : `Waiting for ${detail.model}`}
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
          <form class="again" {...posts(`/chat/${conversationId}/answers/${id}/regenerate`, "#turns")}>
            <IconButton icon="retry" label="Regenerate answer" />
          </form>
          {content !== "" && <Rate conversationId={conversationId} answerId={id} feedback={feedback} />}
        </div>
        <AnswerDetails detail={answer.detail} />
      </div>
      <div id={`feedback-${id}`} class="turn-form"></div>
    </footer>
  );
};

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
            {error?.retryable && "You can regenerate it below. "}
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
      <input type="hidden" name="question" value="Continue where you left off." />
      <button type="submit" class="secondary">
        Continue
      </button>
    </form>
  );
};

interface TurnProps extends Omit<QuestionProps, "message"> {
  /** The branch on the page. */
  branch: readonly ConversationMessage[];
  /** Index of the message in it. */
  at: number;
  feedback: ReadonlyMap<string, Feedback>;
}

/** Any message of a conversation. The result of a function call is shown with its call. */
export const Turn = ({ conversationId, branch, at, feedback, edited }: TurnProps) => {
  const message = branch[at];
  if (!message) return null;
  if (message.role === "tool") {
    const caller = branch.findLast(({ role }, index) => index < at && role !== "tool");
    const isShown = caller?.tool_calls?.some(({ id }) => id === message.tool_call_id);
    return isShown ? null : <OrphanResult id={message.id} text={message.content} />;
  }
  if (message.role !== "assistant") return <Question {...{ conversationId, message, edited }} />;
  return (
    <Answer
      conversationId={conversationId}
      answer={toState(message)}
      feedback={feedback.get(message.detail?.request_id ?? "")}
      results={message.tool_calls ? resultsOf(branch, at) : undefined}
    />
  );
};

/** "184 tokens · 36.0 tokens/s · first token 118 ms", with details to expand. */
const AnswerDetails = ({ detail }: { detail: AnswerDetail }) => {
  const { usage, cache, so_far: soFar } = detail;
  const tokens = usage?.completion_tokens ?? soFar?.tokens;
  const about = soFar && `about ${soFar.tokens}`;
  const latency = detail.latency ?? soFar;
  const writingMs = latency ? latency.total - latency.ttft : 0;
  const speed = tokens && tokens > 1 && writingMs > 0 ? (tokens - 1) / (writingMs / 1000) : undefined;
  const short = [
    tokens !== undefined && `${usage ? "" : "about "}${count(tokens, "token")}`,
    cache?.status === "hit"
      ? cache.stale
        ? "from the cache, expired"
        : "from the cache"
      : speed && `${speed < 100 ? speed.toFixed(1) : Math.round(speed)} tokens/s`,
    latency && `first token ${duration(latency.ttft)}`,
  ].filter(Boolean);
  return (
    <details class="facts">
      <summary>
        {short.length > 0 ? short.map((fact, index) => [index > 0 && " · ", <span>{fact}</span>]) : detail.model}
      </summary>
      <Facts
        rows={[
          ["Model", [detail.model, detail.model_revision].filter(Boolean).join(" @ ")],
          ["Node", detail.node],
          ["Tokens", usage ? `${usage.prompt_tokens} in, ${usage.completion_tokens} out` : about && `${about} out`],
          ["Time in queue", detail.latency && duration(detail.latency.queue)],
          ["First token", latency && duration(latency.ttft)],
          ["Total time", latency && duration(latency.total)],
          ["Cache", cache && [cache.status, cache.reason].filter(Boolean).join(": ")],
          ["Finish reason", detail.finish_reason],
          ["Request", <RequestId id={detail.request_id} />],
        ]}
      />
    </details>
  );
};
