import type { Chunk, DocumentText, RagDocument, RagIndex } from "../../../gateway/rag/indexes/contract";
import { type Frame, may, Screen } from "../../layout";
import { Confirm } from "../../ui/fields";
import { withQuery } from "../../ui/lists";
import { count, Facts, Icon, number, Panel, Time } from "../../ui/parts";
import { blocksOf, lineSpans, type MarkedSpan, type Piece, piecesOf, type Span } from "../pieces";
import { DocumentSteps, State } from "../state";
import { canRetry, documentState } from "../words";
import { metadataText } from "./documents";
import { Retry } from "./progress";

/** Maximum number of chunks whose text is shown on one page. */
const CHUNKS_PER_PAGE = 60;

interface DocumentPageProps extends Frame {
  index: RagIndex;
  document: RagDocument;
  /** undefined: it has not been read yet. */
  content?: DocumentText;
  /** In order; empty for an earlier version of the text. */
  chunks: readonly Chunk[];
  /** The span to highlight. */
  span?: Span;
  /** The page of the chunk list to show; if omitted, the one that contains the span. */
  part?: number;
}

/** A document's stored text with the boundaries of its chunks and pages, and a list of the chunks. */
export const DocumentPage = (props: DocumentPageProps) => {
  const { index, document, content, chunks, span, part, ...frame } = props;
  const { title, state, content_hash: currentHash } = document;
  const path = `/rag/${index.id}/documents/${document.id}`;
  const isEarlier = content !== undefined && content.hash !== currentHash;
  const mayWrite = may(frame, "editor");
  return (
    <Screen
      {...frame}
      title={`${title} · ${index.name}`}
      heading={title}
      note={document.source && document.source !== title ? document.source : undefined}
      kind="wide-screen"
      trail={[
        { path: "/rag", name: "Documents" },
        { path: `/rag/${index.id}`, name: index.name },
      ]}
      actions={mayWrite && <Deletion index={index} document={document} />}
    >
      {isEarlier && (
        <Panel icon="clock" title="This document has changed since">
          You are reading the earlier text that the answer cited. <a href={path}>Read the current text</a>
        </Panel>
      )}
      {state === "failed" && <Failure index={index} document={document} mayWrite={mayWrite} />}
      <DocumentFacts document={document} pages={content?.pages.length ?? 0} />
      {content ? (
        <Content {...{ content, chunks, span, part, path }} />
      ) : (
        state !== "failed" && <NotRead document={document} />
      )}
    </Screen>
  );
};

const Deletion = ({ index, document }: Pick<DocumentPageProps, "index" | "document">) => (
  <Confirm
    opener={[<Icon name="trash" />, " Delete document"]}
    action={`/rag/${index.id}/documents/${document.id}/delete`}
    submit="Delete document"
  >
    The next question can’t use “{document.title}” any more. This can’t be undone.
  </Confirm>
);

const Failure = ({
  index,
  document,
  mayWrite,
}: Pick<DocumentPageProps, "index" | "document"> & { mayWrite: boolean }) => (
  <div class="panel problem">
    <Icon name="alert" />
    <div>
      <h2>This file could not be read</h2>
      <p>{document.error?.message ?? "Reading it failed. Try again."}</p>
      {mayWrite && canRetry(document) && <Retry indexId={index.id} ids={[document.id]} />}
    </div>
  </div>
);

const NotRead = ({ document }: Pick<DocumentPageProps, "document">) => (
  <div class="card">
    <p role="status">There is no text yet: this document is not in the index.</p>
    <DocumentSteps {...document} />
  </div>
);

const DocumentFacts = ({ document, pages }: Pick<DocumentPageProps, "document"> & { pages: number }) => (
  <div class="card index-facts">
    <Facts
      look="facts-list"
      rows={[
        ["State", <State {...documentState(document)} />],
        ["Chunks", number(document.chunks)],
        ["Pages", pages > 0 && number(pages)],
        ["Characters", number(document.characters)],
        ["Metadata", metadataText(document.metadata)],
        ["Updated", <Time at={document.updated_at} />],
      ]}
    />
  </div>
);

type ContentProps = Pick<DocumentPageProps, "chunks" | "span" | "part"> & { content: DocumentText; path: string };

const Content = ({ content: { text, pages, hash }, chunks, span, part, path }: ContentProps) => {
  const blocks = blocksOf(text.length, chunks);
  const last = Math.max(1, Math.ceil(blocks.length / CHUNKS_PER_PAGE));
  const withSpan = span ? blocks.findLastIndex(({ start }) => start <= span.start) : 0;
  const shown = Math.min(last, part ?? 1 + Math.floor(Math.max(0, withSpan) / CHUNKS_PER_PAGE));
  const first = (shown - 1) * CHUNKS_PER_PAGE;
  const visible = blocks.slice(first, first + CHUNKS_PER_PAGE);
  const marks: MarkedSpan[] = [
    ...lineSpans(text),
    ...pages.map((start) => ({ start, end: text.length, kind: "page" })),
    ...(span ? [{ ...span, kind: "cited" }] : []),
  ];
  const toPart = (number: number) => withQuery(path, { part: number, hash });
  return (
    <>
      <div class="panes">
        <section class="document-text card" aria-label="Text of the document">
          {visible.map(({ chunk, repeatsTo, start, end: to }) => {
            // Blank lines at its end would look like a gap.
            const block = { start, end: start + text.slice(start, to).trimEnd().length };
            const all = [...marks, { start: block.start, end: repeatsTo, kind: "repeated" }];
            return (
              <div class="chunk" id={`at-${block.start}`}>
                {chunk && <ChunkLine chunk={chunk} path={path} isOverlapping={repeatsTo > block.start} />}
                <p class="verbatim" dir="auto">
                  {piecesOf(text, block, all).map((piece) => (
                    <TextPiece piece={piece} pages={pages} citedFrom={span?.start} />
                  ))}
                </p>
              </div>
            );
          })}
        </section>
        {chunks.length > 0 && (
          <nav class="chunk-list" aria-label="Chunks">
            <h2>{count(chunks.length, "chunk")}</h2>
            <ol start={first + 1}>
              {visible.map(({ start, chunk }) => chunk && <ChunkEntry chunk={chunk} href={`#at-${start}`} />)}
            </ol>
          </nav>
        )}
      </div>
      {last > 1 && (
        <nav class="pager" aria-label="Parts of the document">
          {shown > 1 && (
            <a class="button secondary" rel="prev" href={toPart(shown - 1)}>
              Previous part
            </a>
          )}
          <span class="fine">{`Part ${shown} of ${last}`}</span>
          {shown < last && (
            <a class="button secondary" rel="next" href={toPart(shown + 1)}>
              Next part
            </a>
          )}
        </nav>
      )}
    </>
  );
};

/** Plain text, because it comes from a file. A page's number is above its first character. */
const TextPiece = ({ piece, pages, citedFrom }: { piece: Piece; pages: readonly number[]; citedFrom?: number }) => {
  const { text, start, kinds } = piece;
  const page = pages.indexOf(start) + 1;
  const looks = kinds.filter((kind) => kind !== "page" && kind !== "cited").join(" ");
  const words = looks ? <span class={looks}>{text}</span> : text;
  return (
    <>
      {page > 0 && <span class="page-number" id={`page-${page}`}>{`Page ${page}`}</span>}
      {kinds.includes("cited") ? (
        <mark class="cited" id={start === citedFrom ? "cited" : undefined}>
          {words}
        </mark>
      ) : (
        words
      )}
    </>
  );
};

const wordsOf = ({ heading, page, tokens }: Chunk): string =>
  [heading, page !== null && `page ${page}`, count(tokens, "token")].filter(Boolean).join(" · ");

const ChunkLine = ({ chunk, path, isOverlapping }: { chunk: Chunk; path: string; isOverlapping: boolean }) => {
  const { position, start, end } = chunk;
  return (
    <p class="chunk-line">
      <a href={`${withQuery(path, { start: String(start), end })}#cited`} title="Highlight this chunk">
        Chunk {position + 1}
      </a>{" "}
      {wordsOf(chunk)}
      {isOverlapping && ` · begins with the end of chunk ${position}`}
    </p>
  );
};

const ChunkEntry = ({ chunk, href }: { chunk: Chunk; href: string }) => (
  <li>
    <a href={href}>{chunk.heading?.split(" > ").at(-1) ?? chunk.text.slice(0, 60)}</a>
    <span class="fine">
      {[chunk.page && `page ${chunk.page}`, count(chunk.tokens, "token")].filter(Boolean).join(" · ")}
    </span>
  </li>
);
