import { raw } from "hono/html";
import type { AnswerDetail, ConversationMessage } from "../../gateway/conversations/contract";
import type { AnswerState } from "../../gateway/conversations/generation";
import { Icon } from "../ui/icon";
import { markdown } from "../ui/markdown";
import { CopyButton, RequestId } from "../ui/states";
import { count, duration } from "../ui/time";

/** What a person wrote, as it was typed. */
export const Question = ({ id, content }: Pick<ConversationMessage, "id" | "content">) => (
  <article class="turn question" id={id}>
    <h2 class="visually-hidden">You</h2>
    <p>{content}</p>
  </article>
);

interface AnswerProps {
  conversationId: string;
  answer: AnswerState;
}

/** An answer in any state. A running one fills itself: it opens its stream, now and after every reload. */
export const Answer = ({ conversationId, answer }: AnswerProps) => {
  const isRunning = answer.status === "generating";
  return (
    <article class="turn answer" id={answer.id} aria-busy={isRunning ? "true" : undefined}>
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
        <Ending conversationId={conversationId} answer={answer} />
      )}
    </article>
  );
};

const Waiting = ({ model }: { model: string }) => (
  <p class="waiting">
    <span class="pulse"></span>Waiting for {model}
  </p>
);

const Ending = ({ conversationId, answer }: AnswerProps) => (
  <footer>
    <Outcome answer={answer} />
    <div class="turn-line">
      <div class="turn-actions">
        {answer.content !== "" && <CopyButton text={answer.content} label="Copy answer" />}
        <form
          class="again"
          method="post"
          action={`/chat/${conversationId}/regenerate`}
          hx-post={`/chat/${conversationId}/regenerate`}
          hx-swap="none"
        >
          <button type="submit" class="quiet icon-button" title="Answer again">
            <Icon name="retry" />
            <span class="visually-hidden">Answer again</span>
          </button>
        </form>
        {answer.content !== "" && <Rate conversationId={conversationId} answerId={answer.id} />}
      </div>
      <Facts detail={answer.detail} />
    </div>
    <div id={`feedback-${answer.id}`}></div>
  </footer>
);

/** Leads to the form for feedback; with scripts it opens below the answer. */
const Rate = ({ conversationId, answerId }: { conversationId: string; answerId: string }) => {
  const path = `/chat/${conversationId}/answers/${answerId}/feedback`;
  return (
    <a
      class="button quiet icon-button"
      href={path}
      hx-get={path}
      hx-target={`#feedback-${answerId}`}
      hx-swap="innerHTML"
      title="Give feedback"
    >
      <Icon name="thumb" />
      <span class="visually-hidden">Give feedback</span>
    </a>
  );
};

/** Why an answer is not whole. */
const Outcome = ({ answer: { status, detail } }: { answer: AnswerState }) => {
  if (status === "failed") {
    const { error } = detail;
    return (
      <div class="panel problem">
        <Icon name="alert" />
        <div>
          <p>{error?.message ?? "The answer failed."}</p>
          <p class="fine">
            {error?.retryable ? "The text so far is kept. Answer again below, or quote " : "Quote "}
            <RequestId id={detail.request_id} /> when you report it.
          </p>
        </div>
      </div>
    );
  }
  if (status === "stopped") return <p class="tag">Stopped</p>;
  if (status === "interrupted") return <p class="tag">Interrupted: the gateway was restarted</p>;
  if (detail.finish_reason === "length") return <p class="tag">Cut: the longest answer was reached</p>;
  return null;
};

/** "184 tokens · 36.0 tokens/s · first after 118 ms", and the rest behind it. */
const Facts = ({ detail }: { detail: AnswerDetail }) => {
  const { usage, cache, so_far: soFar } = detail;
  const tokens = usage?.completion_tokens ?? soFar?.tokens;
  const latency = detail.latency ?? soFar;
  const writingMs = latency ? latency.total - latency.ttft : 0;
  const speed = tokens && tokens > 1 && writingMs > 0 ? (tokens - 1) / (writingMs / 1000) : undefined;
  const short = [
    tokens !== undefined && `${usage ? "" : "about "}${count(tokens, "token")}`,
    cache?.status === "hit"
      ? "from the cache"
      : speed && `${speed < 100 ? speed.toFixed(1) : Math.round(speed)} tokens/s`,
    latency && `first after ${duration(latency.ttft)}`,
  ].filter(Boolean);
  return (
    <details class="facts">
      <summary>
        {short.length > 0 ? short.map((fact, index) => [index > 0 && " · ", <span>{fact}</span>]) : detail.model}
      </summary>
      <dl>
        <Fact name="Model" value={[detail.model, detail.model_revision].filter(Boolean).join(" @ ")} />
        <Fact name="Node" value={detail.node} />
        <Fact
          name="Tokens"
          value={
            usage ? `${usage.prompt_tokens} in, ${usage.completion_tokens} out` : soFar && `about ${soFar.tokens} out`
          }
        />
        <Fact name="Waited for a slot" value={detail.latency && duration(detail.latency.queue)} />
        <Fact name="First token" value={latency && duration(latency.ttft)} />
        <Fact name={soFar ? "Until the end" : "Whole answer"} value={latency && duration(latency.total)} />
        <Fact name="Cache" value={cache && [cache.status, cache.reason].filter(Boolean).join(": ")} />
        <Fact name="Ended by" value={detail.finish_reason} />
        <div>
          <dt>Request</dt>
          <dd>
            <RequestId id={detail.request_id} />
          </dd>
        </div>
      </dl>
    </details>
  );
};

const Fact = ({ name, value }: { name: string; value?: string | null }) =>
  value ? (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  ) : null;

/** Any message of a conversation. */
export const Turn = ({ conversationId, message }: { conversationId: string; message: ConversationMessage }) =>
  message.role === "assistant" ? (
    <Answer
      conversationId={conversationId}
      answer={{ ...message, detail: message.detail ?? { model: "", request_id: "" } }}
    />
  ) : (
    <Question id={message.id} content={message.content} />
  );
