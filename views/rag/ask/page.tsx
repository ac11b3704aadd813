import type { Static } from "@sinclair/typebox";
import type { RagAnswer } from "../../../gateway/rag/contract";
import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import { type Frame, may, Screen } from "../../layout";
import { Fields, fieldsOf, type Problems, text } from "../../ui/fields";
import { Panel } from "../../ui/parts";
import { RETRIEVAL_FIELDS, RetrievalFields, retrievalForm, SettingsFields } from "../settings";
import { retrievalText } from "../words";
import { Answered, AskedQuestion, NoMatch, stageText } from "./answer";
import { type Asked, historyWith, readHistory } from "./asking";
import { Evidence } from "./evidence";
import { Rating } from "./feedback";

export const MAX_QUESTION = 10_000;

/** The fields of a question, as sent. A field that is left out keeps its value. */
export const AskFields = Fields({
  question: text(MAX_QUESTION * 2),
  filter: text(10_000),
  /** The earlier turns as JSON. */
  history: text(1_000_000),
  ...RetrievalFields.properties,
});
export type AskForm = Required<Static<typeof AskFields>>;

export const emptyAskForm = (index: RagIndex): AskForm => ({
  question: "",
  filter: "",
  history: "",
  ...retrievalForm(index.retrieval),
});

interface AskProps {
  index: RagIndex;
  form: AskForm;
}

interface AskPageProps extends Frame, AskProps {
  problems?: Problems;
  asked?: Asked;
  notice: string;
}

/** Asks an index: the question and its settings, the answer, and the passages that it is based on. */
export const AskPage = ({ index, form, problems = {}, asked, notice, ...frame }: AskPageProps) => (
  <Screen
    {...frame}
    title={`Ask ${index.name}`}
    problems={problems}
    notice={notice}
    kind="wide-screen"
    scripts={["ask.js", "citations.js"]}
    trail={[
      { path: "/rag", name: "Documents" },
      { path: `/rag/${index.id}`, name: index.name },
    ]}
  >
    {index.chunks === 0 ? (
      <Panel title="This index has no searchable documents yet">
        <a href={`/rag/${index.id}`}>Add documents</a>, then ask.
      </Panel>
    ) : (
      <div class="panes ask">
        <div class="ask-main">
          <QuestionForm index={index} form={form} problems={problems} mayWrite={may(frame, "editor")} />
          <p id="ask-status" class="fine" role="status">
            {asked && stageText(asked)}
          </p>
          <div id="result">
            {asked?.answer && <Result {...{ index, form, asked, answer: asked.answer, ...frame }} />}
          </div>
          <div id="next">{asked?.answer && <Next {...{ index, form, asked, answer: asked.answer }} />}</div>
        </div>
        <aside class="evidence" aria-labelledby="evidence-title">
          <h2 id="evidence-title">Passages</h2>
          <div id="evidence">
            <Evidence indexId={index.id} asked={asked} />
          </div>
        </aside>
      </div>
    )}
  </Screen>
);

/** Attributes of a form whose answer is streamed into the page. A newer question stops the previous one. */
const asks = (index: RagIndex) => ({
  method: "post" as const,
  action: `/rag/${index.id}/ask`,
  "hx-post": `/rag/${index.id}/ask`,
  "hx-swap": "none",
  "hx-sync": "closest .ask:replace",
  "hx-disable": "find button",
  novalidate: true,
});

type QuestionFormProps = AskProps & { problems: Problems; mayWrite: boolean };

const QuestionForm = ({ index, form, problems, mayWrite }: QuestionFormProps) => {
  const { area } = fieldsOf(form, problems);
  const isChanged = RETRIEVAL_FIELDS.some((name) => form[name] !== retrievalForm(index.retrieval)[name]);
  const isRefused = ["filter", ...RETRIEVAL_FIELDS].some((name) => problems[name] !== undefined);
  const apply = `/rag/${index.id}/ask/apply`;
  return (
    <form class="card form wide" {...asks(index)}>
      {area("question", "Question", {
        rows: 2,
        maxlength: MAX_QUESTION,
        required: true,
        autofocus: form.question === "",
      })}
      {/* Enter in a field uses the first button of the form. */}
      <div class="form-end">
        <button type="submit">Ask</button>
      </div>
      <details class="fold" open={isRefused || isChanged || form.filter !== ""}>
        <summary>Filter and other settings</summary>
        <div class="form wide">
          <p class="hint">
            {`They apply to this question only. The index uses: ${retrievalText(index.retrieval).toLowerCase()}.`}
          </p>
          {area("filter", "Only documents with this metadata", {
            rows: 2,
            maxlength: 10_000,
            hint: "One condition per line, such as site = north-quay, year >= 2020, or kind in memo, letter",
          })}
          <SettingsFields form={form} problems={problems} />
          {mayWrite && (
            <div class="form-end">
              <button
                type="submit"
                class="secondary"
                formaction={apply}
                hx-post={apply}
                hx-target="#applied"
                hx-swap="innerHTML"
              >
                Apply to the index
              </button>
              <span id="applied" role="status"></span>
            </div>
          )}
        </div>
      </details>
    </form>
  );
};

interface ResultProps extends Frame, AskProps {
  asked: Asked;
  answer: RagAnswer;
}

/** The complete answer and a rating. */
export const Result = ({ index, form, asked, answer, ...frame }: ResultProps) => {
  const history = readHistory(form.history);
  return (
    <>
      <EarlierTurns history={history} />
      {answer.status === "no_relevant_context" ? (
        <NothingRelevant {...{ index, form, asked, answer, mayWrite: may(frame, "editor") }} />
      ) : (
        <Answered asked={asked} answer={answer} />
      )}
      <Rating index={index} asked={asked} answer={answer} mayAdd={may(frame, "editor")} />
    </>
  );
};

/**
 * What to ask next: a follow-up question, or the same one without the threshold. It is not part of the result, because a
 * form has to stay on the page while its answer is streamed.
 */
export const Next = ({ index, form, asked, answer }: Omit<ResultProps, keyof Frame>) => {
  if (answer.status === "answered") {
    const history = historyWith(readHistory(form.history), asked);
    return <FollowUp index={index} form={{ ...form, history: JSON.stringify(history) }} />;
  }
  return (
    answer.chunks.length > 0 && (
      <form class="form-end" {...asks(index)}>
        <Hidden form={{ ...form, threshold: "" }} />
        <button type="submit" class="secondary">
          Answer from the closest passages
        </button>
      </form>
    )
  );
};

/** Carries settings, filter and history of the last question. */
const Hidden = ({ form, without }: { form: AskForm; without?: keyof AskForm }) => (
  <>
    {Object.entries(form)
      .filter(([name]) => name !== without)
      .map(([name, value]) => (
        <input type="hidden" name={name} value={String(value)} />
      ))}
  </>
);

const FollowUp = ({ index, form }: AskProps) => (
  <form class="card form wide follow-up" {...asks(index)}>
    <Hidden form={form} without="question" />
    {fieldsOf({}).text("question", "Follow-up question", {
      id: "follow-up",
      hint: "The model also sees the questions and answers above",
      maxlength: MAX_QUESTION,
      autocomplete: "off",
    })}
    <div class="form-end">
      <button type="submit" class="secondary">
        Ask follow-up
      </button>
      <a href={`/rag/${index.id}/ask`}>Start over</a>
    </div>
  </form>
);

const EarlierTurns = ({ history }: { history: ReturnType<typeof readHistory> }) =>
  history.length > 0 && (
    <details class="card fold">
      <summary>Earlier in this conversation</summary>
      <ol class="earlier">
        {history.map(({ role, content }) => (
          <li class={role} dir="auto">
            <span class="fine">{role === "user" ? "Question" : "Answer"}</span>
            <p class="verbatim">{content}</p>
          </li>
        ))}
      </ol>
    </details>
  );

/** No passage was good enough, so no model was called. Says how close it was, and what to try. */
const NothingRelevant = ({
  index,
  form,
  asked,
  answer,
  mayWrite,
}: Omit<ResultProps, keyof Frame> & { mayWrite: boolean }) => {
  const { threshold, chunks } = answer;
  return (
    <article class="card rag-answer">
      <AskedQuestion asked={asked} />
      <p class="fallback" dir="auto">
        {answer.answer}
      </p>
      <NoMatch threshold={threshold} />
      <h3>What to try</h3>
      <ul class="remarks">
        <li>Use words that the documents use, or ask for one thing at a time.</li>
        {form.filter !== "" && <li>Remove the filter: it may leave out the right document.</li>}
        {form.mode !== "hybrid" && <li>Search by meaning and by keyword.</li>}
        {chunks.length > 0 && <li>Read the closest passages. If they answer the question, lower the threshold.</li>}
        {mayWrite && (
          <li>
            <a href={`/rag/${index.id}`}>Add a document</a> that answers it.
          </li>
        )}
      </ul>
    </article>
  );
};
