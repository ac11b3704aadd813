import type { Dataset } from "../../gateway/datasets/contract";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { FileField, type Problems } from "../ui/fields";

interface UploadPageProps extends Frame {
  /** The dataset that gets a new revision; left out: a new dataset. */
  dataset?: Dataset;
  maxBytes: number;
  problems?: Problems;
}

/** The form to upload a file. A preview is shown before anything is stored. */
export const UploadPage = ({ dataset, maxBytes, problems = {}, ...frame }: UploadPageProps) => {
  const title = dataset ? `Add a revision to ${dataset.name}` : "Upload a dataset";
  return (
    <Shell {...frame} title={title} problems={problems} scripts={["upload.js"]}>
      <Heading title={title} note="You can review the rows and any problems before anything is stored." />
      <Alerts />
      <form
        class="card form"
        method="post"
        action={dataset ? `/datasets/${dataset.id}/upload` : "/datasets/upload"}
        enctype="multipart/form-data"
        data-upload={maxBytes}
        novalidate
      >
        <FileField
          name="file"
          label="File"
          accept=".csv,.tsv,.jsonl,.ndjson,.json,.parquet"
          problem={problems.file}
          hint={`CSV, JSONL, JSON or Parquet, up to ${Math.floor(maxBytes / 1_048_576)} MiB. One column must hold the question. Columns for expected answers, contexts and model answers are found by their names.`}
        />
        <p class="upload-progress" hidden>
          <label>
            <span role="status">Sending the file…</span>
            <progress max={1} value={0}></progress>
          </label>
        </p>
        <div class="form-end">
          <button type="submit">Read the file</button>
          <a href={dataset ? `/datasets/${dataset.id}` : "/datasets"}>Cancel</a>
        </div>
      </form>
      <Example />
    </Shell>
  );
};

/** The message for a missing or empty file. Without a chosen file, browsers submit one without a name. */
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
