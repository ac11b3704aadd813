import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset, DatasetRevision, KeptReport, RevisionDetail, Sample } from "../../gateway/datasets/contract";
import type { NumberedPage } from "../../gateway/paging";
import { textOfCall } from "../evals/calls";
import { type Frame, may, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { Filters, List, NoMatch, Table, withQuery } from "../ui/lists";
import { ButtonLink, count, Fact, number, Texts, Time } from "../ui/parts";
import { changeOf } from "./list";
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

/** One dataset: the samples of a revision, its history, and its actions. */
export const DatasetPage = (props: DatasetPageProps) => {
  const { dataset, revisions, shown, samples, filter, problems, ...frame } = props;
  const mayWrite = may(frame, "editor");
  const path = `/datasets/${dataset.id}`;
  const { revision, report } = shown;
  return (
    <Screen
      {...frame}
      title={dataset.name}
      problems={problems}
      note={dataset.description || undefined}
      actions={
        <>
          {mayWrite && <ButtonLink href={`${path}/upload`} icon="plus" text="Add revision" look="button secondary" />}
          {may(frame, "member") && (
            <ButtonLink
              href={withQuery("/evals/new", { dataset: dataset.id, revision })}
              text="Evaluate a sample"
              look={mayWrite ? "button secondary" : "button"}
            />
          )}
          {mayWrite && (
            <ButtonLink
              href={withQuery("/batch-evals/new", { dataset: dataset.id, revision })}
              text="Evaluate this dataset"
            />
          )}
        </>
      }
    >
      <Samples {...{ dataset, shown, samples, filter, path }} />
      {report && <Upload revision={revision} report={report} />}
      <Revisions revisions={revisions} shown={shown} path={path} />
      <p class="hint">
        Download revision {revision} as <a href={withQuery(`${path}/export`, { format: "jsonl", revision })}>JSONL</a>,
        which another Groundwire instance can import with the same hash, or as{" "}
        <a href={withQuery(`${path}/export`, { format: "csv", revision })}>CSV</a> for a spreadsheet.
      </p>
      {mayWrite && <Deletion dataset={dataset} problems={problems} />}
    </Screen>
  );
};

type SamplesProps = Pick<DatasetPageProps, "dataset" | "shown" | "samples" | "filter"> & { path: string };

const Samples = ({ dataset, shown: { revision, samples: all }, samples, filter, path }: SamplesProps) => {
  const isFiltered = filter.q !== undefined || filter.tag !== undefined;
  const { text } = fieldsOf(filter);
  return (
    <section aria-labelledby="samples-title">
      <h2 id="samples-title">
        {count(all, "sample")} in revision {revision}
        {revision !== dataset.latest.revision && " (not the latest)"}
      </h2>
      <Filters action={path}>
        {text("q", "Search input and references", { type: "search", maxlength: 200 })}
        {tagField(dataset, filter)}
        {filter.revision !== undefined && <input type="hidden" name="revision" value={filter.revision} />}
      </Filters>
      <List
        page={samples}
        noun="sample"
        caption="Samples"
        path={path}
        query={filter}
        columns={[
          {
            name: "Input",
            isLong: true,
            cell: ({ key, input }) => (
              <a href={withQuery(`${path}/samples/${encodeURIComponent(key)}`, { revision })}>{textOfInput(input)}</a>
            ),
          },
          { name: "References", isLong: true, cell: ({ references }) => references.join(" · ") },
          { name: "Contexts", isNumeric: true, cell: ({ contexts }) => contexts.length },
          { name: "Output", cell: ({ output }) => (output === null ? "" : "given") },
          { name: "Tags", cell: ({ tags }) => tags.join(", ") },
        ]}
      >
        <NoMatch
          title={`No sample matches ${wordsOf(filter)}`}
          href={withQuery(path, { revision: filter.revision })}
          link={isFiltered ? "Clear the filters" : "Show all samples"}
        />
      </List>
    </section>
  );
};

/** The tag filter: a list, or a text field if there are too many tags to list. */
const tagField = ({ tags, tag_count: all }: Dataset, filter: SampleFilter) => {
  const { text, select } = fieldsOf(filter);
  if (all > tags.length) return text("tag", "Tag", { maxlength: 64 });
  return tags.length > 0 && select("tag", "Tag", [{ value: "", label: "Any" }, ...tags]);
};

const wordsOf = ({ q, tag }: SampleFilter): string =>
  [q !== undefined && `“${q}”`, tag !== undefined && `tag ${tag}`].filter(Boolean).join(" and ") || "here";

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

type RevisionsProps = Pick<DatasetPageProps, "revisions" | "shown"> & { path: string };

const Revisions = ({ revisions, shown, path }: RevisionsProps) => (
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
            <a href={withQuery(path, { revision })} aria-current={revision === shown.revision ? "true" : undefined}>
              {revision}
            </a>
          ),
        },
        { name: "Samples", isNumeric: true, cell: ({ samples }) => number(samples) },
        { name: "Change", cell: changeOf },
        { name: "File", cell: ({ source }) => source ?? "" },
        { name: "Hash", cell: ({ hash }) => <code title={hash}>{hash.slice(0, 12)}</code> },
        { name: "Stored", cell: ({ created_at }) => <Time at={created_at} /> },
      ]}
    />
  </section>
);

const Deletion = ({ dataset, problems }: Pick<DatasetPageProps, "dataset" | "problems">) => {
  const { text } = fieldsOf({}, problems);
  return (
    <details class="card fold" open={problems?.confirm !== undefined}>
      <summary>Delete this dataset</summary>
      <Form action={`/datasets/${dataset.id}/delete`} look="form" submit="Delete dataset" kind="danger">
        <p>
          The dataset is removed from every list. Runs that used it keep their samples and results. This can’t be
          undone.
        </p>
        {text("confirm", `Type “${dataset.name}” to confirm`, { autocomplete: "off", spellcheck: "false" })}
      </Form>
    </details>
  );
};

interface SamplePageProps extends Frame {
  dataset: Dataset;
  revision: number;
  sample: Sample;
}

export const SamplePage = ({ dataset, revision, sample, ...frame }: SamplePageProps) => {
  const inRevision = revision === dataset.latest.revision ? undefined : revision;
  const evaluation = { dataset: dataset.id, key: sample.key, revision };
  return (
    <Screen
      {...frame}
      title={`${sample.key} · ${dataset.name}`}
      heading={sample.key}
      note={`In revision ${revision} of ${dataset.name}`}
      actions={may(frame, "member") && <ButtonLink href={withQuery("/evals/new", evaluation)} text="Evaluate" />}
      trail={[
        { path: "/datasets", name: "Datasets" },
        { path: withQuery(`/datasets/${dataset.id}`, { revision: inRevision }), name: dataset.name },
      ]}
    >
      <dl class="record">
        <Texts name="Input" texts={[textOfInput(sample.input)]} />
        <Texts name="References" texts={sample.references} />
        <Texts name="Contexts" texts={sample.contexts} />
        <Texts name="Output" texts={sample.output === null ? [] : [sample.output]} />
        {sample.expected_tool_calls && (
          <Texts name="Expected function calls" texts={sample.expected_tool_calls.map(textOfCall)} />
        )}
        <Fact name="Tools">{sample.tools?.map(({ function: { name } }) => name).join(", ")}</Fact>
        <Fact name="Tool choice">{sample.tool_choice && textOf(sample.tool_choice)}</Fact>
        <Fact name="Group">{sample.group}</Fact>
        <Fact name="Tags">{sample.tags.join(", ")}</Fact>
        {Object.entries(sample.metadata).map(([name, value]) => (
          <Fact name={name}>{value === "" ? <em class="nothing">empty</em> : textOf(value)}</Fact>
        ))}
        <Fact name="Content hash">
          <code>{sample.hash}</code>
        </Fact>
      </dl>
    </Screen>
  );
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
