import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { ToolCall } from "../../gateway/chat/message";
import type { AnswerState } from "../../gateway/conversations/generation";
import { indentJson } from "../../lib/indent-json";
import { highlight } from "../ui/highlight";
import { markdown } from "../ui/markdown";
import { duration } from "../ui/parts";

/* Steps of an answer that are not its text: reasoning and function calls. Each step is in a fold of its own. */

/** Results of function calls, by the id of their call. */
export type Results = ReadonlyMap<string, string>;

const NO_RESULTS: Results = new Map();
/** Characters of a call's arguments in its title. A line shows as many as fit. */
const MAX_PREVIEW = 200;
/** Longer values are not highlighted, because highlighting needs many elements. */
const MAX_HIGHLIGHTED = 20_000;

export const reasoningId = (answerId: string): string => `${answerId}-reasoning`;
export const callsId = (answerId: string): string => `${answerId}-calls`;

/** The summary of the reasoning: "Thinking", then "Thought for 3.2 s". */
export const ReasoningTitle = ({ answer }: { answer: AnswerState }) => {
  const { reasoning_ms: ms = 0 } = answer.detail;
  if (isReasoning(answer)) return <Working>Thinking</Working>;
  return ms > 0 ? <span>Thought for {duration(ms)}</span> : <span>Reasoning</span>;
};

/** Whether the model is still reasoning: it has written neither text nor calls. */
export const isReasoning = ({ status, content, tool_calls: calls }: AnswerState): boolean =>
  status === "generating" && content === "" && calls === null;

/** The reasoning; an empty element while a running answer has none. */
export const Reasoning = ({ answer }: { answer: AnswerState }) => {
  const id = reasoningId(answer.id);
  if (!answer.reasoning) return answer.status === "generating" ? <div id={id}></div> : null;
  return (
    <details id={id} class="answer-step">
      <summary class="step-title">
        <ReasoningTitle answer={answer} />
      </summary>
      <div class="prose" hx-ignore>
        {raw(markdown(answer.reasoning))}
      </div>
    </details>
  );
};

interface CallsProps {
  answer: Pick<AnswerState, "id" | "status" | "tool_calls">;
  results?: Results;
}

/** The function calls with their results; an empty element while a running answer has none. */
export const Calls = ({ answer, results = NO_RESULTS }: CallsProps) => {
  const { id, status, tool_calls: calls } = answer;
  const isRunning = status === "generating";
  if (!calls?.length && !isRunning) return null;
  return (
    <div id={callsId(id)} class="answer-calls">
      {calls?.map((call, index) => (
        <Call
          id={`${callsId(id)}-${index}`}
          number={index + 1}
          call={call}
          result={results.get(call.id)}
          isRunning={isRunning}
        />
      ))}
    </div>
  );
};

interface CallProps {
  id: string;
  /** Its position among the answer's calls, from 1. */
  number: number;
  call: ToolCall;
  result: string | undefined;
  isRunning: boolean;
}

const Call = ({ id, number, call: { function: called }, result, isRunning }: CallProps) => (
  <details id={id} class="answer-step">
    <summary class="step-title">
      {isRunning ? (
        <Working>
          Calling <code>{called.name}</code>
        </Working>
      ) : (
        <span>
          {result === undefined ? "Calls" : "Called"} <code>{called.name}</code>
          {result === undefined && ", no result"}
        </span>
      )}
      <code class="call-arguments">{called.arguments.slice(0, MAX_PREVIEW)}</code>
    </summary>
    <Value title="Arguments" of={`call ${number}, ${called.name}`} text={called.arguments} />
    {result !== undefined && <Value title="Result" of={`call ${number}, ${called.name}`} text={result} />}
  </details>
);

/** A result without its call. Only imported conversations can have one. */
export const OrphanResult = ({ id, text }: { id: string; text: string }) => (
  <details id={id} class="turn answer-step">
    <summary class="step-title">
      <span>Result of a function call</span>
    </summary>
    <Value title="Result" of="a function call" text={text} />
  </details>
);

/** Arguments or a result. JSON is indented; any other text is shown unchanged. */
const Value = ({ title, of, text }: { title: string; of: string; text: string }) => {
  const indented = indentJson(text);
  const colored = indented && indented.length <= MAX_HIGHLIGHTED ? highlight(indented, "json") : undefined;
  return (
    <div class="code">
      <div class="code-bar">
        <span>{title}</span>
      </div>
      <section tabindex={0} aria-label={`${title} of ${of}`}>
        <pre dir="auto">
          <code>{colored === undefined ? (indented ?? text) : raw(colored)}</code>
        </pre>
      </section>
    </div>
  );
};

const Working = ({ children }: { children: Child }) => (
  <>
    <span class="pulse"></span>
    <span>{children}</span>
  </>
);
