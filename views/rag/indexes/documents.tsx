import type { NumberedPage } from "../../../gateway/paging";
import type { DocumentQuery, RagDocument, RagIndex } from "../../../gateway/rag/indexes/contract";
import type { DocumentSort } from "../../../gateway/rag/indexes/documents";
import { Form, fieldsOf, type Problems } from "../../ui/fields";
import { Filters, List, NoMatch } from "../../ui/lists";
import { EmptyState, number, Time } from "../../ui/parts";
import { State } from "../state";
import { DOCUMENT_STATES, documentState } from "../words";

export interface DocumentListProps {
  index: RagIndex;
  page: NumberedPage<RagDocument>;
  sort: { by: DocumentSort; isDescending: boolean };
  query: { search?: string; state?: string; sort?: string };
  mayWrite: boolean;
}

/** The documents of an index. The list is updated while documents are being added; the filters stay. */
export const Documents = (props: DocumentListProps) => {
  const { index, query } = props;
  const { text, select } = fieldsOf(query);
  return (
    <section aria-labelledby="documents-title">
      <h2 id="documents-title">Documents</h2>
      {(index.documents > 0 || index.failed_documents > 0) && (
        <Filters action={`/rag/${index.id}`}>
          {text("search", "Title or file name", { type: "search", maxlength: 200 })}
          {select("state", "State", [{ value: "", label: "Any" }, ...DOCUMENT_STATES])}
        </Filters>
      )}
      <DocumentList {...props} />
    </section>
  );
};

export const DocumentList = ({ index, page, sort, query, mayWrite }: DocumentListProps) => (
  <div id="documents">
    <List
      page={page}
      noun="document"
      caption="Documents of the index"
      path={`/rag/${index.id}`}
      query={query}
      sort={sort}
      columns={[
        {
          name: "Document",
          sortKey: "title",
          isLong: true,
          cell: ({ id, title }) => <a href={`/rag/${index.id}/documents/${id}`}>{title}</a>,
          note: ({ title, source }) => (source && source !== title ? source : undefined),
        },
        { name: "State", cell: (document) => <State {...documentState(document)} /> },
        { name: "Chunks", sortKey: "chunks", isNumeric: true, cell: ({ chunks }) => number(chunks) },
        { name: "Characters", isNumeric: true, cell: ({ characters }) => number(characters) },
        ...(page.data.some(({ metadata }) => Object.keys(metadata).length > 0) ? [METADATA] : []),
        { name: "Updated", sortKey: "updated", cell: ({ updated_at }) => <Time at={updated_at} /> },
      ]}
    >
      <NoDocuments index={index} query={query} mayWrite={mayWrite} />
    </List>
  </div>
);

const METADATA = {
  name: "Metadata",
  isLong: true,
  cell: ({ metadata }: RagDocument) => metadataText(metadata),
};

export const metadataText = (metadata: RagDocument["metadata"]): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");

const NoDocuments = ({ index, query, mayWrite }: Pick<DocumentListProps, "index" | "query" | "mayWrite">) => {
  const { search, state } = query as DocumentQuery;
  const words = [search && `“${search}”`, state && `state ${documentState({ state }).text}`].filter(Boolean);
  if (words.length > 0) {
    return (
      <NoMatch
        title={`No document matches ${words.join(" and ")}`}
        href={`/rag/${index.id}`}
        link="Clear the filters"
      />
    );
  }
  return (
    <EmptyState title="No documents yet">
      <p>{mayWrite ? "Add the first files above. You can ask as soon as one is read." : "An editor can add some."}</p>
    </EmptyState>
  );
};

interface AddFilesProps {
  index: RagIndex;
  maxBytes: number;
  problems?: Problems;
}

const FORMATS = ".pdf,.docx,.md,.markdown,.html,.htm,.txt,.csv";

/** A file field is also a place to drop files, without a script. */
export const AddFiles = ({ index, maxBytes, problems }: AddFilesProps) => (
  <Form
    action={`/rag/${index.id}/documents`}
    look="card form wide drop"
    enctype="multipart/form-data"
    data-upload={maxBytes}
    submit="Add files"
  >
    {fieldsOf({}, problems).file("files", "Drop files here, or choose them", {
      multiple: true,
      accept: FORMATS,
      hint: `PDF, Word, Markdown, HTML, text or CSV, up to ${Math.floor(maxBytes / 1_048_576)} MiB each. A file with the name of an earlier one replaces it.`,
    })}
    <p class="upload-progress" hidden>
      <label>
        <span role="status">Sending the files…</span>
        <progress max={1} value={0}></progress>
      </label>
    </p>
  </Form>
);
