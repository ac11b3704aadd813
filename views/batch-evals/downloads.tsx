import type { BatchEval, ExportQuery } from "../../gateway/batch-evals/contract";
import { withQuery } from "../ui/lists";
import { isEnded } from "./words";

export type Format = NonNullable<ExportQuery["format"]>;

export const FORMATS: Readonly<Record<Format, { name: string; about: string }>> = {
  html: { name: "Report", about: "one page that opens anywhere" },
  csv: { name: "CSV", about: "for spreadsheets" },
  parquet: { name: "Parquet", about: "for data tools" },
  jsonl: { name: "JSONL", about: "every detail" },
  junit: { name: "JUnit", about: "for CI systems" },
  bundle: { name: "Bundle", about: "to verify or repeat the run elsewhere" },
};

interface DownloadsProps {
  run: BatchEval;
  /** The filter of the list of samples, without its order. */
  filter?: Readonly<Record<string, string | undefined>>;
}

/** Links to a run's results as files. A bundle has all results of an ended run. */
export const Downloads = ({ run, filter = {} }: DownloadsProps) => {
  const isFiltered = Object.keys(filter).length > 0;
  const offered = (Object.keys(FORMATS) as Format[]).filter(
    (format) => format !== "bundle" || (isEnded(run) && !isFiltered),
  );
  return (
    <section aria-labelledby="downloads">
      <h2 id="downloads">{isFiltered ? "Download these results" : "Download"}</h2>
      <ul class="downloads">
        {offered.map((format) => (
          <li>
            <a href={withQuery(`/batch-evals/${run.id}/export`, { ...filter, format })} download="">
              {FORMATS[format].name}
            </a>
            <span class="fine">{FORMATS[format].about}</span>
          </li>
        ))}
      </ul>
    </section>
  );
};
