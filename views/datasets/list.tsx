import type { Dataset, DatasetPage } from "../../gateway/datasets/contract";
import { hasRole } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Filters, Pager } from "../ui/lists";
import { EmptyState } from "../ui/states";
import { Table } from "../ui/table";
import { count, Time } from "../ui/time";

interface DatasetsPageProps extends Frame {
  page: DatasetPage;
  query: { q?: string; after?: string };
  notice?: string;
}

/** All datasets, last changed first. */
export const DatasetsPage = ({ page, query, notice, ...frame }: DatasetsPageProps) => {
  const mayWrite = frame.principal !== undefined && hasRole(frame.principal.role, "editor");
  const isFiltered = query.q !== undefined;
  return (
    <Shell {...frame} title="Datasets">
      <Heading title="Datasets" note="Questions with reference answers or contexts, in revisions that never change.">
        {mayWrite && (
          <a class="button" href="/datasets/new">
            <Icon name="plus" /> Upload dataset
          </a>
        )}
      </Heading>
      <Alerts />
      <Notice text={notice} />
      {(page.data.length > 0 || isFiltered) && (
        <Filters action="/datasets">
          <TextField
            name="q"
            label="Name or description"
            value={query.q}
            type="search"
            attributes={{ maxlength: 200 }}
          />
        </Filters>
      )}
      {page.data.length > 0 ? (
        <DatasetTable datasets={page.data} />
      ) : isFiltered ? (
        <EmptyState title={`No dataset matches “${query.q}”`}>
          <p>
            <a href="/datasets">Clear the filter</a>
          </p>
        </EmptyState>
      ) : (
        <FirstDataset mayWrite={mayWrite} />
      )}
      <Pager path="/datasets" query={query} next={page.next_cursor} />
    </Shell>
  );
};

const DatasetTable = ({ datasets }: { datasets: readonly Dataset[] }) => (
  <Table
    caption="Datasets"
    rows={datasets}
    columns={[
      { name: "Name", cell: ({ id, name }) => <a href={`/datasets/${id}`}>{name}</a> },
      { name: "Samples", isNumeric: true, cell: ({ latest }) => latest.samples.toLocaleString("en") },
      { name: "Revision", isNumeric: true, cell: ({ latest }) => latest.revision },
      { name: "Last change", cell: ({ latest }) => changeOf(latest) },
      { name: "Changed", cell: ({ updated_at }) => <Time at={new Date(updated_at)} /> },
    ]}
  />
);

/** "3 added, 1 changed": what a revision brought. */
export const changeOf = ({ added, changed, removed }: Dataset["latest"]): string => {
  const parts = [
    added > 0 && `${added.toLocaleString("en")} added`,
    changed > 0 && `${changed.toLocaleString("en")} changed`,
    removed > 0 && `${removed.toLocaleString("en")} removed`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "other order only";
};

const FirstDataset = ({ mayWrite }: { mayWrite: boolean }) => (
  <EmptyState title="No datasets yet">
    <p>
      A dataset holds questions and what a good answer has to say. With one you can measure how good your model is, and
      whether a change made it better.
    </p>
    {mayWrite ? (
      <div class="form-end centred">
        <a class="button" href="/datasets/new">
          Upload JSONL or CSV
        </a>
        <form method="post" action="/datasets/sample">
          <button type="submit" class="secondary">
            Start with the sample
          </button>
        </form>
      </div>
    ) : (
      <p>An editor can upload one; ask for that role, or for a dataset.</p>
    )}
  </EmptyState>
);

/** "1,000 samples". */
export const sampleCount = (n: number): string => count(n, "sample");
