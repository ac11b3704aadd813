import type { IndexVersion, RagIndex } from "../../../gateway/rag/indexes/contract";
import type { IndexCalibration, VersionComparison } from "../../../gateway/rag/quality/contract";
import { type Frame, Screen } from "../../layout";
import { Form, fieldsOf, type Problems, posts } from "../../ui/fields";
import { EmptyState, Panel } from "../../ui/parts";
import { Calibrated } from "./calibrated";
import { Compared } from "./compared";

export const MAX_QUESTIONS = 1000;
export const MAX_KIB = 256;
/** Measuring 1,000 questions takes longer than the 60 s that htmx waits by default. */
const TIMEOUT_MS = 600_000;

export interface QualityForm {
  questions: string;
  /** A version, or two to compare: "1" or "1:2". */
  measure: string;
}

/** What was measured, and in which version. */
export type Measured =
  | { kind: "calibrated"; version: number; calibration: IndexCalibration }
  | { kind: "compared"; comparison: VersionComparison };

interface QualityPageProps extends Frame {
  index: RagIndex;
  /** Versions that can be searched. */
  versions: readonly IndexVersion[];
  form: QualityForm;
  problems?: Problems;
  measured?: Measured;
  notice: string;
}

/** Measures an index on labelled questions: how well it finds documents, which threshold fits, and which version is better. */
export const QualityPage = ({ index, versions, form, problems, measured, notice, ...frame }: QualityPageProps) => (
  <Screen
    {...frame}
    title={`Measure ${index.name}`}
    problems={problems}
    notice={notice}
    trail={[
      { path: "/rag", name: "Documents" },
      { path: `/rag/${index.id}`, name: index.name },
    ]}
    note="Use your own questions to see how well the index finds the right documents, and to choose a threshold."
  >
    {index.chunks === 0 ? (
      <Panel title="This index has no searchable documents yet">
        <a href={`/rag/${index.id}`}>Add documents</a>, then measure.
      </Panel>
    ) : (
      <>
        <QuestionsForm {...{ index, versions, form, problems }} />
        <div id="measuring" class="measuring card" role="status">
          <p>Searching. This takes a few seconds per 100 questions.</p>
          <div class="skeleton" aria-hidden="true">
            <span></span>
            <span></span>
            <span></span>
          </div>
        </div>
        <div id="measured">
          <Results index={index} measured={measured} />
        </div>
      </>
    )}
  </Screen>
);

type QuestionsFormProps = Pick<QualityPageProps, "index" | "versions" | "form" | "problems">;

const QuestionsForm = ({ index, versions, form, problems }: QuestionsFormProps) => {
  const { area, file, select } = fieldsOf(form, problems);
  const path = `/rag/${index.id}/quality`;
  const choices = measureChoices(index, versions);
  return (
    <Form
      {...posts(path, "#measured")}
      look="card form wide"
      enctype="multipart/form-data"
      hx-config={`timeout:${TIMEOUT_MS}`}
      hx-indicator="#measuring"
      hx-disable="find button"
      submit="Measure"
    >
      {area("questions", "Questions", {
        rows: 8,
        spellcheck: "false",
        class: "code-input",
        hint: "CSV with the columns question and document, or JSON Lines. Enter the document’s file name or id. Leave it blank if no document answers the question.",
      })}
      {file("file", "Or a file", {
        accept: ".csv,.tsv,.jsonl,.ndjson,.json",
        hint: `Up to ${MAX_QUESTIONS.toLocaleString("en")} questions and ${MAX_KIB} KiB`,
      })}
      {choices.length > 1 &&
        select("measure", "What to measure", choices, {
          hint: "A comparison runs the same questions on both versions",
        })}
    </Form>
  );
};

/** Each version, then each comparison with the active one. */
const measureChoices = ({ active }: RagIndex, versions: readonly IndexVersion[]) => {
  const others = versions.filter(({ version }) => version !== active.version);
  return [
    { value: String(active.version), label: `Version ${active.version} (active)` },
    ...others.map(({ version }) => ({ value: String(version), label: `Version ${version}` })),
    ...others.map(({ version }) => ({
      value: `${active.version}:${version}`,
      label: `Compare version ${version} with version ${active.version}`,
    })),
  ];
};

/** The figures, or an example until there are some. */
export const Results = ({ index, measured }: Pick<QualityPageProps, "index" | "measured">) => {
  if (!measured) return <FirstSteps />;
  return measured.kind === "calibrated" ? (
    <Calibrated index={index} {...measured} />
  ) : (
    <Compared index={index} comparison={measured.comparison} />
  );
};

const EXAMPLE = `question,document
How many days of leave are there?,leave.pdf
Who may work from home?,rules.docx; leave.pdf
Who won the world cup in 1998?,`;

const FirstSteps = () => (
  <EmptyState title="Nothing measured yet">
    <p>Start with 50 questions that the documents answer and 50 that they don’t. For example:</p>
    <pre class="example" tabindex={0}>
      {EXAMPLE}
    </pre>
  </EmptyState>
);
