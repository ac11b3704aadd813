import type { Dataset, ValidationReport } from "../../gateway/datasets/contract";
import type { ImportProgress } from "../../gateway/datasets/import-job";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { ChoiceField, type Problems, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { count } from "../ui/time";
import { Changes, isUnchanged } from "./changes";
import { hasInput, MappingFields } from "./mapping";
import { Findings, headline, Preview } from "./report";

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
  /** The dataset that gets a new revision; left out: a new dataset. */
  dataset?: Dataset;
}

const titleOf = ({ dataset, fileName }: Pick<ImportPageProps, "dataset" | "fileName">): string =>
  dataset ? `${fileName} for ${dataset.name}` : fileName;

interface ReadingProps {
  job: string;
  progress: ImportProgress;
  /** The worker is storing the rows, not only reading them. */
  isStoring: boolean;
}

/** Progress while a worker reads the file, updated every second, with a button to stop it. */
export const ReadingPage = ({ progress, isStoring, ...props }: ImportPageProps & ReadingProps) => (
  <Shell {...props} title={titleOf(props)} refreshSeconds={2}>
    <Heading title={titleOf(props)} />
    <Alerts />
    <Reading job={props.job} progress={progress} isStoring={isStoring} />
  </Shell>
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
        : `${isStoring ? "Storing" : "Reading"} the file: ${count(rows, "row")} so far, ${accepted.toLocaleString("en")} of them usable.`}
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
  /** The reader changed the columns before storing, so the page previews the new result first. */
  isReread?: boolean;
}

/** Preview of the file: problems, columns, the first samples, and choices for storing them. */
export const PreviewPage = ({ report, form, problems = {}, isReread, ...props }: PreviewPageProps) => {
  const { job, dataset } = props;
  const title = titleOf(props);
  const isMapped = hasInput(report);
  const maySave = isMapped && report.accepted > 0 && !(report.changes && isUnchanged(report.changes));
  return (
    <Shell {...props} title={title} problems={problems}>
      <Heading title={title} note={isMapped ? headline(report) : `${count(report.rows, "row")} read`} />
      <Alerts />
      {isReread && <Reread />}
      {isMapped && report.changes && <Changes changes={report.changes} />}
      {isMapped ? <Findings report={report} /> : <NoInput />}
      <form class="card form wide" method="post" action={`/datasets/imports/${job}`} novalidate>
        <MappingFields report={report} chosen={form.mapping} problem={problems.mapping} />
        <p class="hint">Changing the columns reads the file again. Nothing is stored yet.</p>
        <div class="form-end">
          <button type="submit" class={maySave ? "secondary" : undefined} name="action" value="check">
            Read again with these columns
          </button>
        </div>
        {maySave && <StoreFields report={report} form={form} problems={problems} dataset={dataset} />}
        <div class="form-end">
          {maySave && (
            <button type="submit" name="action" value="store">
              Store {count(report.accepted, "sample")}
            </button>
          )}
          <a href={dataset ? `/datasets/${dataset.id}/upload` : "/datasets/new"}>Choose another file</a>
          {dataset && !maySave && <a href={`/datasets/${dataset.id}`}>Back to {dataset.name}</a>}
        </div>
        {/* The name is kept over every look at the file. */}
        {!maySave && !dataset && <input type="hidden" name="name" value={form.name} />}
      </form>
      <Preview samples={report.preview} />
    </Shell>
  );
};

const Reread = () => (
  <section class="panel notice" role="status">
    <Icon name="alert" />
    <div>
      <h2>Nothing is stored yet</h2>
      <p>You changed the columns, so the file was read again. Check the rows below, then store them.</p>
    </div>
  </section>
);

/** Asks the user which column is the question, because no name suggests it. */
const NoInput = () => (
  <section class="panel notice">
    <Icon name="alert" />
    <div>
      <h2>Choose the column that holds the question</h2>
      <p>
        The column names don’t say which one it is. Set one column to “Input” below, and the column with the expected
        answers to “References”. Then read the file again.
      </p>
    </div>
  </section>
);

type StoreFieldsProps = Pick<PreviewPageProps, "report" | "form" | "dataset"> & { problems: Problems };

/** Choices to make before the samples are stored. */
const StoreFields = ({ report, form, problems, dataset }: StoreFieldsProps) => (
  <>
    {dataset ? (
      <ChoiceField
        name="mode"
        legend="Samples that are not in this file"
        type="radio"
        value={[form.mode]}
        options={[
          { value: "replace", label: "Remove them", hint: "The new revision will match this file exactly." },
          {
            value: "merge",
            label: "Keep them",
            hint: "The file adds new samples and updates those with the same key.",
          },
        ]}
      />
    ) : (
      <TextField
        name="name"
        label="Name of the dataset"
        value={form.name}
        problem={problems.name}
        attributes={{ maxlength: 100, autocomplete: "off" }}
      />
    )}
    {report.rejected > 0 && (
      <ChoiceField
        name="onError"
        legend={`${count(report.rejected, "row")} can't be used`}
        type="radio"
        value={[form.onError]}
        problem={problems.onError}
        options={[
          {
            value: "skip",
            label: `Store the ${count(report.accepted, "usable row")}`,
            hint: "The others are left out, and the reasons are saved with this revision.",
          },
          { value: "refuse", label: "Store nothing", hint: "Correct the file and upload it again." },
        ]}
      />
    )}
  </>
);
