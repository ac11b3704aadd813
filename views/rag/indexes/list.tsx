import type { NumberedPage } from "../../../gateway/paging";
import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import type { IndexSort } from "../../../gateway/rag/indexes/service";
import { type Frame, may, Screen } from "../../layout";
import { List } from "../../ui/lists";
import { ButtonLink, EmptyState, number, Time } from "../../ui/parts";
import { State } from "../state";
import { indexState } from "../words";

interface IndexesPageProps extends Frame {
  page: NumberedPage<RagIndex>;
  sort: { by: IndexSort; isDescending: boolean };
  query: { sort?: string };
  notice: string;
}

/** All indexes that the user may read, last updated first. */
export const IndexesPage = ({ page, sort, query, ...frame }: IndexesPageProps) => {
  const mayWrite = may(frame, "editor");
  return (
    <Screen
      {...frame}
      title="Documents"
      note="Ask questions and get answers from your own documents, with sources you can check."
      actions={mayWrite && page.total > 0 && <ButtonLink href="/rag/new" icon="plus" text="Create index" />}
    >
      <List
        page={page}
        noun="index"
        plural="indexes"
        caption="Indexes"
        path="/rag"
        query={query}
        sort={sort}
        columns={[
          {
            name: "Name",
            sortKey: "name",
            isLong: true,
            cell: ({ id, name }) => <a href={`/rag/${id}`}>{name}</a>,
            note: ({ description }) => description || undefined,
          },
          {
            name: "Status",
            cell: (index) => <State {...indexState(index)} />,
            note: ({ failed_documents: failed }) => (failed > 0 ? `${number(failed)} failed` : undefined),
          },
          { name: "Documents", sortKey: "documents", isNumeric: true, cell: ({ documents }) => number(documents) },
          { name: "Chunks", isNumeric: true, cell: ({ chunks }) => number(chunks) },
          { name: "Model", cell: ({ active }) => active.embedding_model },
          { name: "Updated", sortKey: "updated", cell: ({ updated_at }) => <Time at={updated_at} /> },
          {
            name: "Ask",
            cell: ({ id, name, chunks }) =>
              chunks > 0 &&
              may(frame, "member") && (
                <a href={`/rag/${id}/ask`} aria-label={`Ask ${name}`}>
                  Ask
                </a>
              ),
          },
        ]}
      >
        <FirstIndex mayWrite={mayWrite} />
      </List>
    </Screen>
  );
};

const FirstIndex = ({ mayWrite }: { mayWrite: boolean }) => (
  <EmptyState title="No indexes yet">
    <p>
      An index makes a set of documents searchable. Add PDF, Word, Markdown, HTML, text or CSV files, ask a question,
      and read the answer next to the passages it comes from.
    </p>
    {mayWrite ? (
      <div class="form-end centred">
        <ButtonLink href="/rag/new" text="Create an index" />
        <form method="post" action="/rag/sample">
          <button type="submit" class="secondary" data-busy="Creating…">
            Try it with our docs
          </button>
        </form>
      </div>
    ) : (
      <p>You need the editor role to create one. Ask an admin for it.</p>
    )}
  </EmptyState>
);
