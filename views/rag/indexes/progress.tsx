import type { Ingestion, RagDocument, RagIndex } from "../../../gateway/rag/indexes/contract";
import { stops } from "../../ui/fields";
import { count, duration, number } from "../../ui/parts";
import { DocumentSteps } from "../state";
import { canRetry, isRunning } from "../words";

/** Maximum number of documents listed. */
export const LISTED = 20;

interface IngestionProps {
  index: RagIndex;
  /** The first documents of the ingestion. */
  documents: readonly RagDocument[];
  /** Address that returns the next progress. */
  path: string;
  mayWrite: boolean;
}

/** Attributes of an element that updates the page every second until it is removed. `path` returns the progress. */
export const polls = (path: string) => ({
  "hx-get": path,
  "hx-trigger": "every 1s",
  "hx-target": "#ingestion",
  "hx-swap": "outerMorph",
  "data-poll": true,
});

/** The current ingestion with its files, updated every second; afterwards the files that failed in it. */
export const IngestionPanel = ({ index, documents, path, mayWrite }: IngestionProps) => (
  <div id="ingestion">
    {isRunning(index.ingestion) ? (
      <Ingesting {...{ index, documents, path, mayWrite }} ingestion={index.ingestion} />
    ) : (
      <Ingested index={index} documents={documents} mayWrite={mayWrite} />
    )}
  </div>
);

const Ingesting = ({ index, documents, path, mayWrite, ingestion }: IngestionProps & { ingestion: Ingestion }) => {
  const { job_id: job, total, done, failed } = ingestion;
  const rest = total - documents.length;
  const cancel = `/rag/${index.id}/cancel`;
  return (
    <section id={`progress-${job}`} class="card ingesting" aria-labelledby="ingesting-title" {...polls(path)}>
      <h2 id="ingesting-title">Adding documents</h2>
      <p role="status">{progressText(ingestion)}</p>
      <div class="progress-line">
        <progress aria-label="Documents added" max={total} value={done + failed}></progress>
        {mayWrite && (
          <form method="post" action={cancel}>
            <button id="cancel-ingestion" type="submit" class="secondary" {...stops(cancel)}>
              Cancel
            </button>
          </form>
        )}
      </div>
      <ul class="files">
        {documents.map(({ id, title, state, source, error }) => (
          <li id={`file-${id}`}>
            <span class="file-name">{source ?? title}</span>
            {error ? <p class="field-problem">{error.message}</p> : <DocumentSteps state={state} title={title} />}
          </li>
        ))}
      </ul>
      <p class="fine">
        {rest > 0 && `${count(rest, "more document")}. `}
        You can leave this page. Finished documents are already searchable.
      </p>
    </section>
  );
};

/** "3 of 12 documents are searchable, 1 failed. About 20 s left." */
const progressText = ({ state, total, done, failed, eta_seconds: seconds }: Ingestion): string => {
  if (state === "queued") return `Waiting for a worker to read ${count(total, "document")}.`;
  const soFar = `${number(done)} of ${count(total, "document")} searchable`;
  const faults = failed > 0 ? `, ${number(failed)} failed` : "";
  return `${soFar}${faults}.${seconds ? ` About ${secondsText(seconds)} left.` : ""}`;
};

const secondsText = (seconds: number): string =>
  seconds < 60 ? `${Math.ceil(seconds)} s` : duration(Math.ceil(seconds) * 1000);

const Ingested = ({ index, documents, mayWrite }: Omit<IngestionProps, "path">) => {
  const failed = documents.filter(({ state }) => state === "failed");
  const retryable = failed.filter(canRetry);
  const hidden = index.failed_documents - failed.length;
  if (failed.length === 0) return null;
  return (
    <section class="panel problem failures" aria-labelledby="failures-title">
      <div>
        <h2 id="failures-title">{count(index.failed_documents, "file")} could not be read</h2>
        <ul>
          {failed.map(({ id, title, source, error }) => (
            <li>
              <div>
                <a href={`/rag/${index.id}/documents/${id}`}>{source ?? title}</a>
                <p>{error?.message ?? "Reading it failed. Try again."}</p>
              </div>
              {mayWrite && canRetry({ error }) && (
                <Retry indexId={index.id} ids={[id]} label={`Retry ${source ?? title}`} />
              )}
            </li>
          ))}
        </ul>
        <div class="form-end">
          {mayWrite && retryable.length > 1 && (
            <Retry indexId={index.id} ids={retryable.map(({ id }) => id)} text={`Retry all ${retryable.length}`} />
          )}
          {hidden > 0 && <a href={`/rag/${index.id}?state=failed`}>Show all failed files</a>}
        </div>
      </div>
    </section>
  );
};

interface RetryProps {
  indexId: string;
  ids: readonly string[];
  text?: string;
  /** For screen readers, if several buttons have the same text. */
  label?: string;
}

/** Reads failed or cancelled documents again. */
export const Retry = ({ indexId, ids, text = "Retry", label }: RetryProps) => (
  <form method="post" action={`/rag/${indexId}/retry`}>
    {ids.map((id) => (
      <input type="hidden" name="document" value={id} />
    ))}
    <button type="submit" class="secondary" aria-label={label}>
      {text}
    </button>
  </form>
);
