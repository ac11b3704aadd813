import type { Dataset } from "../../gateway/datasets/contract";
import type { DatasetSort } from "../../gateway/datasets/service";
import type { NumberedPage } from "../../gateway/paging";
import { type Frame, may, Screen } from "../layout";
import { fieldsOf } from "../ui/fields";
import { Filters, List, NoMatch } from "../ui/lists";
import { ButtonLink, EmptyState, number, Time } from "../ui/parts";

interface DatasetsPageProps extends Frame {
  page: NumberedPage<Dataset>;
  query: { q?: string; sort?: string };
  sort: { by: DatasetSort; isDescending: boolean };
  notice: string;
}

/** All datasets, last changed first. */
export const DatasetsPage = ({ page, query, sort, ...frame }: DatasetsPageProps) => {
  const mayWrite = may(frame, "editor");
  const isFiltered = query.q !== undefined;
  const { text } = fieldsOf(query);
  return (
    <Screen
      {...frame}
      title="Datasets"
      note="Test questions with expected answers. Every upload is kept as a revision."
      actions={mayWrite && <ButtonLink href="/datasets/new" icon="plus" text="Upload dataset" />}
    >
      {(page.data.length > 0 || isFiltered) && (
        <Filters action="/datasets">{text("q", "Name or description", { type: "search", maxlength: 200 })}</Filters>
      )}
      <List
        page={page}
        noun="dataset"
        caption="Datasets"
        path="/datasets"
        query={query}
        sort={sort}
        columns={[
          { name: "Name", sortKey: "name", cell: ({ id, name }) => <a href={`/datasets/${id}`}>{name}</a> },
          { name: "Samples", sortKey: "samples", isNumeric: true, cell: ({ latest }) => number(latest.samples) },
          { name: "Revision", isNumeric: true, cell: ({ latest }) => latest.revision },
          { name: "Last change", cell: ({ latest }) => changeOf(latest) },
          { name: "Changed", sortKey: "changed", cell: ({ updated_at }) => <Time at={updated_at} /> },
        ]}
      >
        {isFiltered ? (
          <NoMatch title={`No dataset matches “${query.q}”`} href="/datasets" link="Clear the filter" />
        ) : (
          <FirstDataset mayWrite={mayWrite} />
        )}
      </List>
    </Screen>
  );
};

/** The changes in a revision: "3 added, 1 changed". */
export const changeOf = ({ added, changed, removed }: Dataset["latest"]): string => {
  const parts = Object.entries({ added, changed, removed }).filter(([, samples]) => samples > 0);
  return parts.map(([what, samples]) => `${number(samples)} ${what}`).join(", ") || "order only";
};

const FirstDataset = ({ mayWrite }: { mayWrite: boolean }) => (
  <EmptyState title="No datasets yet">
    <p>
      A dataset contains test questions and their expected answers. Use one to measure how well your model answers, and
      whether a change improved it.
    </p>
    {mayWrite ? (
      <div class="form-end centred">
        <ButtonLink href="/datasets/new" text="Upload JSONL or CSV" />
        <form method="post" action="/datasets/sample">
          <button type="submit" class="secondary">
            Use the sample dataset
          </button>
        </form>
      </div>
    ) : (
      <p>You need the editor role to upload one. Ask an admin for it.</p>
    )}
  </EmptyState>
);
