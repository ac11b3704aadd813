import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset, DatasetRevision, KeptReport, RevisionDetail, Sample } from "../../gateway/datasets/contract";
import type { NumberedPage } from "../../gateway/paging";
import { hasRole, type Role } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { type Problems, SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Filters, NumberedPager, RowRange, withQuery } from "../ui/lists";
import { EmptyState } from "../ui/states";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { changeOf, sampleCount } from "./list";
import { Findings, headline } from "./report";

export interface SampleFilter {
  q?: string;
  tag?: string;
  revision?: string;
}

interface DatasetPageProps extends Frame {
  dataset: Dataset;
  revisions: readonly DatasetRevision[];
  shown: RevisionDetail;
  samples: NumberedPage<Sample>;
  filter: SampleFilter;
  notice?: string;
  problems?: Problems;
}

/** One dataset: the samples of a revision, its history, and links to what can be done with it. */
export const DatasetPage = ({
  dataset,
  revisions,
  shown,
  samples,
  filter,
  notice,
  problems = {},
  ...frame
}: DatasetPageProps) => {
  const may = (role: Role) => frame.principal !== undefined && hasRole(frame.principal.role, role);
  const mayWrite = may("editor");
  const path = `/datasets/${dataset.id}`;
  return (
    <Shell {...frame} title={dataset.name} problems={problems}>
      <Heading title={dataset.name} note={dataset.description || undefined}>
        {mayWrite && (
          <a class="button secondary" href={`${path}/upload`}>
            <Icon name="plus" /> Add revision
          </a>
        )}
        {may("member") && (
          <a class="button" href={withQuery("/evals/new", { dataset: dataset.id, revision: String(shown.revision) })}>
            Evaluate a sample
          </a>
        )}
      </Heading>
      <Alerts />
      <Notice text={notice} />
      <Samples dataset={dataset} shown={shown} samples={samples} filter={filter} path={path} />
      {shown.report && <Upload revision={shown.revision} report={shown.report} />}
      <Revisions revisions={revisions} shown={shown} path={path} />
      <Exports path={path} revision={shown.revision} />
      {mayWrite && <Deletion dataset={dataset} problems={problems} />}
    </Shell>
  );
};

interface SamplesProps {
  dataset: Dataset;
  shown: DatasetRevision;
  samples: NumberedPage<Sample>;
  filter: SampleFilter;
  path: string;
}

const Samples = ({ dataset, shown, samples, filter, path }: SamplesProps) => {
  const isFiltered = filter.q !== undefined || filter.tag !== undefined;
  const isOld = shown.revision !== dataset.latest.revision;
  return (
    <section aria-labelledby="samples-title">
      <h2 id="samples-title">
        {sampleCount(shown.samples)} in revision {shown.revision}
        {isOld && " (not the latest)"}
      </h2>
      <Filters action={path}>
        <TextField
          name="q"
          label="Search input and references"
          value={filter.q}
          type="search"
          attributes={{ maxlength: 200 }}
        />
        <TagField dataset={dataset} value={filter.tag} />
        {filter.revision !== undefined && <input type="hidden" name="revision" value={filter.revision} />}
      </Filters>
      {samples.data.length > 0 ? (
        <>
          <RowRange {...samples} noun="sample" />
          <SampleTable samples={samples.data} path={path} revision={shown.revision} />
        </>
      ) : (
        <EmptyState title={`No sample matches ${wordsOf(filter)}`}>
          <p>
            <a href={withQuery(path, { revision: filter.revision })}>
              {isFiltered ? "Clear the filters" : "Show all samples"}
            </a>
          </p>
        </EmptyState>
      )}
      <NumberedPager {...samples} path={path} query={{ ...filter }} />
    </section>
  );
};

/** A list to choose from, or a text field if there are too many tags to list. */
const TagField = ({ dataset: { tags, tag_count: all }, value = "" }: { dataset: Dataset; value?: string }) => {
  if (all > tags.length) return <TextField name="tag" label="Tag" value={value} attributes={{ maxlength: 64 }} />;
  if (tags.length === 0) return null;
  const options = [{ value: "", label: "Any" }, ...tags.map((tag) => ({ value: tag, label: tag }))];
  return <SelectField name="tag" label="Tag" value={value} options={options} />;
};

const wordsOf = ({ q, tag }: SampleFilter): string =>
  [q !== undefined && `“${q}”`, tag !== undefined && `tag ${tag}`].filter(Boolean).join(" and ") || "here";

const SampleTable = ({ samples, path, revision }: { samples: readonly Sample[]; path: string; revision: number }) => (
  <Table
    caption="Samples"
    rows={samples}
    columns={[
      {
        name: "Input",
        isLong: true,
        cell: ({ key, input }) => (
          <a href={withQuery(`${path}/samples/${encodeURIComponent(key)}`, { revision: String(revision) })}>
            {textOfInput(input)}
          </a>
        ),
      },
      { name: "References", isLong: true, cell: ({ references }) => references.join(" · ") },
      { name: "Contexts", isNumeric: true, cell: ({ contexts }) => contexts.length },
      { name: "Output", cell: ({ output }) => (output === null ? "" : "given") },
      { name: "Tags", cell: ({ tags }) => tags.join(", ") },
    ]}
  />
);

/** The upload report of a revision: the rows that were left out, and why. */
const Upload = ({ revision, report }: { revision: number; report: KeptReport }) => (
  <details class="card fold" open={report.rejected > 0}>
    <summary>
      Upload of revision {revision}: {headline(report)}
    </summary>
    <Findings report={report} />
    <p class="hint">
      Columns:{" "}
      {report.columns
        .map((column) => (report.mapping[column] ? `${column} as ${report.mapping[column]}` : `${column} left out`))
        .join(", ")}
      .
    </p>
  </details>
);

const Revisions = ({
  revisions,
  shown,
  path,
}: {
  revisions: readonly DatasetRevision[];
  shown: DatasetRevision;
  path: string;
}) => (
  <section>
    <h2>Revisions</h2>
    <Table
      caption="Revisions, newest first"
      rows={revisions}
      columns={[
        {
          name: "Revision",
          isNumeric: true,
          cell: ({ revision }) => (
            <a
              href={withQuery(path, { revision: String(revision) })}
              aria-current={revision === shown.revision ? "true" : undefined}
            >
              {revision}
            </a>
          ),
        },
        { name: "Samples", isNumeric: true, cell: ({ samples }) => samples.toLocaleString("en") },
        { name: "Change", cell: changeOf },
        { name: "File", cell: ({ source }) => source ?? "" },
        { name: "Hash", cell: ({ hash }) => <code title={hash}>{hash.slice(0, 12)}</code> },
        { name: "Stored", cell: ({ created_at }) => <Time at={created_at} /> },
      ]}
    />
  </section>
);

const Exports = ({ path, revision }: { path: string; revision: number }) => (
  <p class="hint">
    Download revision {revision} as{" "}
    <a href={withQuery(`${path}/export`, { format: "jsonl", revision: String(revision) })}>JSONL</a>, which another
    Groundwire reads with the same hash, or as{" "}
    <a href={withQuery(`${path}/export`, { format: "csv", revision: String(revision) })}>CSV</a> for a spreadsheet.
  </p>
);

const Deletion = ({ dataset, problems }: { dataset: Dataset; problems: Problems }) => (
  <details class="card fold" open={problems.confirm !== undefined}>
    <summary>Delete this dataset</summary>
    <form class="form" method="post" action={`/datasets/${dataset.id}/delete`} novalidate>
      <p>It disappears from every list. Runs that used it keep their samples and results. This can’t be undone.</p>
      <TextField
        name="confirm"
        label={`Type “${dataset.name}” to confirm`}
        problem={problems.confirm}
        attributes={{ autocomplete: "off", spellcheck: "false" }}
      />
      <div class="form-end">
        <button type="submit" class="danger">
          Delete dataset
        </button>
      </div>
    </form>
  </details>
);
