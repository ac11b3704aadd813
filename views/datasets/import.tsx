import type { Dataset, ValidationReport } from "../../gateway/datasets/contract";
import type { ImportProgress } from "../../gateway/datasets/import-job";
import { type Frame, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { count, number, Panel } from "../ui/parts";
import { hasInput, MappingFields } from "./mapping";
import { Changes, Findings, headline, isUnchanged, Preview } from "./report";

/** The choices made so far, which are kept each time the file is read again. */
export interface ImportForm {
  name: string;
  onError: "refuse" | "skip";
  mode: "replace" | "merge";
  /** Field of the sample by column; null leaves the column out. */
  mapping: Readonly<Record<string, string | null>>;
}

interface ImportPageProps extends Frame {
  job: string;
  fileName: string;
  /** The dataset that gets a new revision; if omitted, a new dataset. */
  dataset?: Dataset;
}

const titleOf = ({ dataset, fileName }: Pick<ImportPageProps, "dataset" | "fileName">): string =>
  dataset ? `${fileName} for ${dataset.name}` : fileName;

interface ReadingProps {
  job: string;
  progress: ImportProgress;
  /** Whether the worker is storing the rows, not only reading them. */
  isStoring: boolean;
}

/** Progress while a worker reads the file, updated every second, with a button to stop it. */
export const ReadingPage = ({ progress, isStoring, ...props }: ImportPageProps & ReadingProps) => (
  <Screen {...props} title={titleOf(props)} refreshSeconds={2}>
    <Reading job={props.job} progress={progress} isStoring={isStoring} />
  </Screen>
);

/** The part that polls for progress; when the worker is done, the whole page reloads. */
export const Reading = ({ job, progress: { rows, accepted }, isStoring }: ReadingProps) => (
  <div
    id="reading"
    class="card"
    aria-busy="true"
    hx-get={`/datasets/imports/${job}`}
    hx-trigger="every 1s"
    hx-swap="outerMorph"
    data-poll
  >
    <p role="status">
      {rows === 0
        ? "Waiting for a worker to read the file."
        : `${isStoring ? "Storing" : "Reading"} the file: ${count(rows, "row")} so far, ${number(accepted)} usable.`}
    </p>
    <progress aria-label="Reading the file"></progress>
    <form method="post" action={`/datasets/imports/${job}/cancel`} class="form-end">
      <button type="submit" class="secondary">
        Stop
      </button>
    </form>
  </div>
);

interface PreviewPageProps extends ImportPageProps {
  report: ValidationReport;
  form: ImportForm;
  problems?: Problems;
  /** The user changed the columns before storing, so the page previews the new result first. */
  isReread?: boolean;
}

/** Preview of the file: problems, columns, the first samples, and choices for storing them. */
export const PreviewPage = ({ report, form, problems = {}, isReread, ...props }: PreviewPageProps) => {
  const { job, dataset } = props;
  const title = titleOf(props);
  const isMapped = hasInput(report);
  const maySave = isMapped && report.accepted > 0 && !(report.changes && isUnchanged(report.changes));
  return (
    <Screen
      {...props}
      title={title}
      problems={problems}
      note={isMapped ? headline(report) : `${count(report.rows, "row")} read`}
    >
      {isReread && (
        <Panel role="status" title="Nothing is stored yet">
          You changed the columns, so the file was read again. Check the rows below, then store them.
        </Panel>
      )}
      {isMapped && report.changes && <Changes changes={report.changes} />}
      {isMapped ? (
        <Findings report={report} />
      ) : (
        <Panel title="Choose the column that contains the question">
          No column has a known name for the question. Set one column to “Input” below, and the column with the expected
          answers to “References”. Then read the file again.
        </Panel>
      )}
      <form class="card form wide" method="post" action={`/datasets/imports/${job}`} novalidate>
        <MappingFields report={report} chosen={form.mapping} problem={problems.mapping} />
        <p class="hint">Changing the columns reads the file again. Nothing is stored yet.</p>
        {maySave && <StoreFields report={report} form={form} problems={problems} dataset={dataset} />}
        <div class="form-end">
          {/* Enter in a field uses the first button of the form. */}
          {maySave && (
            <button type="submit" name="action" value="store">
              <span class="stores">Store {count(report.accepted, "sample")}</span>
              {report.rejected > 0 && <span class="stores-nothing">Store nothing</span>}
            </button>
          )}
          <button type="submit" class={maySave ? "secondary" : undefined} name="action" value="check">
            Read again with these columns
          </button>
          <a href={dataset ? `/datasets/${dataset.id}/upload` : "/datasets/new"}>Choose another file</a>
          {dataset && !maySave && <a href={`/datasets/${dataset.id}`}>Back to {dataset.name}</a>}
        </div>
        {/* Keeps the name while the file is read again. */}
        {!maySave && !dataset && <input type="hidden" name="name" value={form.name} />}
      </form>
      <Preview samples={report.preview} />
    </Screen>
  );
};

type StoreFieldsProps = Pick<PreviewPageProps, "report" | "form" | "dataset" | "problems">;

const StoreFields = ({ report, form, problems, dataset }: StoreFieldsProps) => {
  const { text, choice } = fieldsOf(form, problems);
  const usable = count(report.accepted, "usable row");
  return (
    <>
      {dataset
        ? choice("mode", "Samples that are not in this file", "radio", [
            { value: "replace", label: "Remove them", hint: "The new revision will match this file exactly." },
            {
              value: "merge",
              label: "Keep them",
              hint: "The file adds new samples and updates those with the same key.",
            },
          ])
        : text("name", "Dataset name", { maxlength: 100, autocomplete: "off" })}
      {report.rejected > 0 &&
        choice("onError", `${count(report.rejected, "row")} can’t be used`, "radio", [
          {
            value: "skip",
            label: `Store the ${usable}`,
            hint: "The others are left out, and the reasons are saved with this revision.",
          },
          {
            value: "refuse",
            label: "Store nothing",
            hint: "Returns to the upload, so that you can send a corrected file.",
          },
        ])}
    </>
  );
};

interface UploadPageProps extends Frame {
  /** The dataset that gets a new revision; if omitted, a new dataset. */
  dataset?: Dataset;
  maxBytes: number;
  problems?: Problems;
}

/** The upload form. A preview is shown before anything is stored. */
export const UploadPage = ({ dataset, maxBytes, problems, ...frame }: UploadPageProps) => {
  const title = dataset ? `Add a revision to ${dataset.name}` : "Upload a dataset";
  return (
    <Screen
      {...frame}
      title={title}
      problems={problems}
      scripts={["upload.js"]}
      note="You can review the rows and any problems before anything is stored."
    >
      <Form
        action={dataset ? `/datasets/${dataset.id}/upload` : "/datasets/upload"}
        enctype="multipart/form-data"
        data-upload={maxBytes}
        submit="Read the file"
        cancel={dataset ? `/datasets/${dataset.id}` : "/datasets"}
      >
        {fieldsOf({}, problems).file("file", "File", {
          accept: ".csv,.tsv,.jsonl,.ndjson,.json,.parquet",
          hint: `CSV, JSONL, JSON or Parquet, up to ${Math.floor(maxBytes / 1_048_576)} MiB. One column must contain the question. Columns for expected answers, contexts and model answers are recognised by name.`,
        })}
        <p class="upload-progress" hidden>
          <label>
            <span role="status">Sending the file…</span>
            <progress max={1} value={0}></progress>
          </label>
        </p>
      </Form>
      <Example />
    </Screen>
  );
};

/** The message for a missing or empty file. If no file is chosen, browsers submit one without a name. */
export const noFile = (fileName: string | null | undefined): string =>
  fileName ? `${fileName} is empty. Choose a file with rows` : "Choose a file";

/** "capitals.csv" becomes "capitals". */
export const nameOf = (fileName: string | null): string =>
  (fileName ?? "").replace(/\.[a-z]+$/i, "").slice(0, 100) || "upload";

const EXAMPLE = `question,answer,context
What is the capital of France?,Paris,France is a country in Europe. Its capital is Paris.
Who wrote Hamlet?,William Shakespeare,`;

const Example = () => (
  <details class="card fold">
    <summary>Example file</summary>
    <pre tabindex={0}>{EXAMPLE}</pre>
    <p class="hint">
      Columns are matched by name: question or input, answer or references, context, output, key, group, tags.
      Everything else is kept as metadata. You can change that in the next step.
    </p>
  </details>
);
