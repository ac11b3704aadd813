import type { Dataset } from "../../gateway/datasets/contract";
import type { DatasetSort } from "../../gateway/datasets/service";
import type { NumberedPage } from "../../gateway/paging";
import { hasRole } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Filters, NumberedPager, RowRange, withQuery } from "../ui/lists";
import { EmptyState } from "../ui/states";
import { type Sorting, Table } from "../ui/table";
import { count, Time } from "../ui/time";

interface DatasetsPageProps extends Frame {
  page: NumberedPage<Dataset>;
  query: { q?: string; sort?: string };
  sort: { by: DatasetSort; isDescending: boolean };
  notice?: string;
}

/** All datasets, last changed first. */
export const DatasetsPage = ({ page, query, sort, notice, ...frame }: DatasetsPageProps) => {
  const mayWrite = frame.principal !== undefined && hasRole(frame.principal.role, "editor");
  const isFiltered = query.q !== undefined;
  return (
    <Shell {...frame} title="Datasets">
      <Heading title="Datasets" note="Test questions with expected answers. Every upload is kept as a revision.">
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
        <>
          <RowRange {...page} noun="dataset" />
          <DatasetTable
            datasets={page.data}
            sorting={{ ...sort, href: (to) => withQuery("/datasets", { ...query, sort: to }) }}
          />
        </>
      ) : isFiltered ? (
        <EmptyState title={`No dataset matches “${query.q}”`}>
          <p>
            <a href="/datasets">Clear the filter</a>
          </p>
        </EmptyState>
      ) : (
        <FirstDataset mayWrite={mayWrite} />
      )}
      <NumberedPager {...page} path="/datasets" query={query} />
    </Shell>
  );
};

const DatasetTable = ({ datasets, sorting }: { datasets: readonly Dataset[]; sorting: Sorting }) => (
  <Table
    caption="Datasets"
    sorting={sorting}
    rows={datasets}
    columns={[
      { name: "Name", sortKey: "name", cell: ({ id, name }) => <a href={`/datasets/${id}`}>{name}</a> },
      {
        name: "Samples",
        sortKey: "samples",
        isNumeric: true,
        cell: ({ latest }) => latest.samples.toLocaleString("en"),
      },
      { name: "Revision", isNumeric: true, cell: ({ latest }) => latest.revision },
      { name: "Last change", cell: ({ latest }) => changeOf(latest) },
      { name: "Changed", sortKey: "changed", cell: ({ updated_at }) => <Time at={updated_at} /> },
    ]}
  />
);

/** The changes in a revision: "3 added, 1 changed". */
export const changeOf = ({ added, changed, removed }: Dataset["latest"]): string => {
  const parts = [
    added > 0 && `${added.toLocaleString("en")} added`,
    changed > 0 && `${changed.toLocaleString("en")} changed`,
    removed > 0 && `${removed.toLocaleString("en")} removed`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "order only";
};

const FirstDataset = ({ mayWrite }: { mayWrite: boolean }) => (
  <EmptyState title="No datasets yet">
    <p>
      A dataset holds test questions and their expected answers. Use one to measure how well your model answers, and
      whether a change improved it.
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
      <p>Ask someone with the role editor to upload one, or ask for that role.</p>
    )}
  </EmptyState>
);

/** "1,000 samples". */
export const sampleCount = (n: number): string => count(n, "sample");
