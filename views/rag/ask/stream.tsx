import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { RagAnswer, RagEvent } from "../../../gateway/rag/contract";
import { toAppError } from "../../../lib/errors";
import { withPauses } from "../../../lib/with-pauses";
import { GrowingMarkdown, type Update } from "../../ui/growing-markdown";
import { SSE_HELLO, sseMessage } from "../../ui/html";
import { duration, ErrorPanel } from "../../ui/parts";
import { AnswerText, Running, RunningSteps, stageText, Warnings } from "./answer";
import { type Asked, after, newlyAsked } from "./asking";
import { Evidence } from "./evidence";

/** 25 updates per second look like typing, and leave the browser idle in between. */
const UPDATE_MS = 40;
/** After this long without anything new, the page says that it is still waiting. */
const LONG_MS = 10_000;

interface AnswerStream {
  question: string;
  indexId: string;
  stopPath: string;
  requestId: string;
  events: AsyncIterable<RagEvent>;
  /** Whether the reader pressed Stop. */
  isStopped(): boolean;
  /** The complete answer, and the forms below it. */
  result(asked: Asked, answer: RagAnswer): Child;
  next(asked: Asked, answer: RagAnswer): Child;
}

/**
 * An answer in progress as messages for hx-sse: searching, the passages, the text as it is written, its citations, and
 * the complete answer. A failure is shown below the text so far.
 */
export async function* answerMessages(stream: AnswerStream): AsyncGenerator<string> {
  const { indexId, stopPath } = stream;
  let asked = newlyAsked(stream.question);
  const growing = new GrowingMarkdown("answer-tail");
  let sent = "";
  let sentAt = 0;
  const startedMs = performance.now();
  const grow = async (): Promise<string> => {
    const isFirst = sent === "";
    [sent, sentAt] = [asked.text, performance.now()];
    const update = growing.update(asked.text);
    return sseMessage(isFirst ? <Beginning asked={asked} update={update} /> : <Growth update={update} />);
  };
  yield SSE_HELLO;
  yield await sseMessage(
    <>
      <Part target="result">
        <Running asked={asked} stopPath={stopPath} />
      </Part>
      <Part target="evidence">
        <Evidence indexId={indexId} asked={asked} />
      </Part>
      <Status asked={asked} />
    </>,
  );
  let waitingMs = 0;
  try {
    for await (const event of withPauses(stream.events, UPDATE_MS)) {
      if (event === undefined) {
        waitingMs += UPDATE_MS;
        if (asked.text !== sent) yield await grow();
        else if (asked.text === "" && waitingMs >= LONG_MS) {
          waitingMs = 0;
          yield await sseMessage(<Status asked={asked} tookMs={performance.now() - startedMs} />);
        }
        continue;
      }
      waitingMs = 0;
      asked = after(asked, event);
      if (event.type === "retrieval") yield await sseMessage(<Found asked={asked} indexId={indexId} />);
      else if (event.type === "token" && performance.now() - sentAt >= UPDATE_MS) yield await grow();
      else if (event.type === "citations") yield await sseMessage(<Cited asked={asked} indexId={indexId} />);
      else if (event.type === "done") {
        const { answer } = event;
        yield await sseMessage(
          <>
            <Part target="result">{stream.result(asked, answer)}</Part>
            <Part target="next">{stream.next(asked, answer)}</Part>
            <Part target="evidence">
              <Evidence indexId={indexId} asked={asked} />
            </Part>
            <Status asked={asked} />
          </>,
        );
      }
    }
  } catch (error) {
    if (asked.text !== sent) yield await grow();
    const isStopped = stream.isStopped();
    const ended: Asked = { ...asked, stage: "stopped" };
    yield await sseMessage(
      <>
        <Part target="answer-end">
          {isStopped ? (
            <p class="tag" tabindex={-1} data-takes-focus>
              Stopped
            </p>
          ) : (
            <div role="alert">
              <ErrorPanel error={toAppError(error)} requestId={stream.requestId} />
            </div>
          )}
        </Part>
        <Part target="answer-steps"></Part>
        {asked.text === "" && <Part target="answer-text"></Part>}
        {!asked.retrieval && <Part target="evidence"></Part>}
        <hx-partial hx-target="#ask-status" hx-swap="innerHTML">
          {isStopped ? stageText(ended) : ""}
        </hx-partial>
      </>,
    );
  }
}

const Part = ({ target, children }: { target: string; children?: Child }) => (
  <hx-partial hx-target={`#${target}`} hx-swap="innerHTML">
    {children}
  </hx-partial>
);

/** Announced by screen readers. */
const Status = ({ asked, tookMs }: { asked: Asked; tookMs?: number }) => (
  <Part target="ask-status">
    {stageText(asked)}
    {tookMs !== undefined && ` Still working after ${duration(Math.floor(tookMs / 1000) * 1000)}.`}
  </Part>
);

const Stage = ({ asked }: { asked: Asked }) => (
  <>
    <hx-partial hx-target="#answer-steps" hx-swap="outerMorph">
      <RunningSteps asked={asked} />
    </hx-partial>
    <Status asked={asked} />
  </>
);

const Found = ({ asked, indexId }: { asked: Asked; indexId: string }) => (
  <>
    <Stage asked={asked} />
    <Part target="answer-warning">
      <Warnings asked={asked} />
    </Part>
    <Part target="evidence">
      <Evidence indexId={indexId} asked={asked} />
    </Part>
  </>
);

const Beginning = ({ asked, update }: { asked: Asked; update: Update }) => (
  <>
    <Part target="answer-text">
      {raw(update.finished ?? "")}
      <div id="answer-open" class="open">
        {raw(update.open ?? "")}
      </div>
    </Part>
    <Status asked={asked} />
  </>
);

const Growth = ({ update: { finished, open, tail } }: { update: Update }) =>
  open === undefined ? (
    <hx-partial hx-target="#answer-tail" hx-swap="beforeend">
      {raw(tail)}
    </hx-partial>
  ) : (
    <>
      {finished && (
        <hx-partial hx-target="#answer-open" hx-swap="beforebegin">
          {raw(finished)}
        </hx-partial>
      )}
      <hx-partial hx-target="#answer-open" hx-swap="innerMorph">
        {raw(open)}
      </hx-partial>
    </>
  );

const Cited = ({ asked, indexId }: { asked: Asked; indexId: string }) => (
  <>
    <Part target="answer-text">
      <AnswerText asked={asked} />
    </Part>
    <Found asked={asked} indexId={indexId} />
  </>
);
