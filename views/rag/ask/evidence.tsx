import type { RetrievedChunk } from "../../../gateway/rag/contract";
import type { Citation } from "../../../gateway/retrieval-contract";
import { withQuery } from "../../ui/lists";
import { count } from "../../ui/parts";
import { lineSpans, type MarkedSpan, piecesOf, type Span } from "../pieces";
import { score } from "../words";
import { type Asked, citedSpans } from "./asking";

interface EvidenceProps {
  indexId: string;
  asked?: Asked;
}

/** The passages that the search found, grouped by whether the model read them. */
export const Evidence = ({ indexId, asked }: EvidenceProps) => {
  if (!asked) {
    return (
      <div class="empty">
        <p>The passages that an answer is based on appear here.</p>
      </div>
    );
  }
  const { retrieval, citations, stage, answer, scope = "" } = asked;
  if (!retrieval) return stage === "searching" ? <Skeleton /> : null;
  const { chunks, threshold } = retrieval;
  if (chunks.length === 0) {
    return (
      <div class="empty">
        <p>No passages were found.</p>
      </div>
    );
  }
  const isRefused = threshold?.passed === false || answer?.status === "no_relevant_context";
  const used = chunks.filter(({ context }) => context !== null);
  const unused = chunks.filter(({ context }) => context === null);
  const group = { indexId, citations, scope };
  return (
    <>
      {used.length > 0 && <Passages {...group} id="used" title="Given to the model" chunks={used} />}
      {unused.length > 0 && (
        <Passages
          {...group}
          id="unused"
          title={
            isRefused ? "Closest passages, below the threshold" : used.length > 0 ? "Found, but not used" : "Found"
          }
          chunks={unused}
        />
      )}
    </>
  );
};

const Skeleton = () => (
  <div class="skeleton" aria-hidden="true">
    <span></span>
    <span></span>
    <span></span>
  </div>
);

interface PassagesProps {
  id: string;
  title: string;
  indexId: string;
  chunks: readonly RetrievedChunk[];
  citations: readonly Citation[];
  scope: string;
}

const Passages = ({ id, title, chunks, ...rest }: PassagesProps) => (
  <section aria-labelledby={`${rest.scope}${id}-title`}>
    <h3 id={`${rest.scope}${id}-title`}>
      {title} <span class="fine">{count(chunks.length, "passage")}</span>
    </h3>
    <ol class="passages">
      {chunks.map((chunk) => (
        <Passage chunk={chunk} {...rest} />
      ))}
    </ol>
  </section>
);

export const passageId = (chunkId: string, scope = ""): string => `${scope}passage-${chunkId}`;

/**
 * Address of a span in a document. The hash selects the content that was searched, even if the document has changed
 * since.
 */
const spanPath = (
  indexId: string,
  { document_id: id, document_hash: hash, start, end }: RetrievedChunk | Citation,
): string => `${withQuery(`/rag/${indexId}/documents/${id}`, { start: String(start), end, hash })}#cited`;

type PassageProps = Pick<PassagesProps, "indexId" | "citations" | "scope"> & { chunk: RetrievedChunk };

const Passage = ({ indexId, chunk, citations, scope }: PassageProps) => {
  const { id, text, context, document_title: title, heading, page } = chunk;
  const spans = citedSpans(chunk, citations);
  const isCited = spans.some(({ kind }) => kind === "cited");
  const first = citations.find((citation) => citation.chunk_id === id) ?? chunk;
  const place = [page !== null && `page ${page}`, heading !== title && heading].filter(Boolean).join(" · ");
  return (
    <li id={passageId(id, scope)} class="passage" tabindex={-1}>
      <div class="passage-head">
        {context !== null && <span class="number">{context}</span>}
        <a href={spanPath(indexId, first)}>{title}</a>
        {isCited ? <span class="tag good-tag">cited</span> : spans.length > 0 && <span class="tag">found</span>}
      </div>
      {place && <p class="fine">{place}</p>}
      <Quote text={text} spans={spans} />
      <p class="fine scores-line">{scoresText(chunk)}</p>
    </li>
  );
};

/** Plain text, because it comes from a file. A long passage is truncated until the reader opens it. */
const Quote = ({ text, spans }: { text: string; spans: ReturnType<typeof citedSpans> }) => {
  const first = spans[0]?.start ?? text.length;
  // Leaves out the passage's headings, which are shown above it.
  const headings = /^(?:\s*#{1,6} .*\n)*\s*/.exec(text)?.[0].length ?? 0;
  const start = Math.min(headings, first);
  const end = text.trimEnd().length;
  const whole = <Excerpt text={text} span={{ start, end }} spans={spans} />;
  if (end - start <= LONG) return <blockquote dir="auto">{whole}</blockquote>;
  // The beginning of a passage is shown, or the part around the first highlighted span.
  const from = spans.length > 0 ? Math.max(start, first - 120) : start;
  return (
    <details class="passage-text">
      <summary>
        <span class="excerpt" dir="auto">
          {from > start && "… "}
          <Excerpt text={text} span={{ start: from, end: Math.min(end, from + LONG) }} spans={spans} />
          {from + LONG < end && " …"}
        </span>
        <span class="more">Show the whole passage</span>
      </summary>
      <blockquote dir="auto">{whole}</blockquote>
    </details>
  );
};

type ExcerptProps = { text: string; span: Span; spans: readonly MarkedSpan[] };

const Excerpt = ({ text, span, spans }: ExcerptProps) => (
  <>
    {piecesOf(text, span, [...spans, ...lineSpans(text)]).map(({ text: piece, kinds }) => {
      const mark = kinds.find((kind) => kind === "cited" || kind === "found");
      const look = kinds.find((kind) => kind === "mono" || kind === "title");
      const words = look ? <span class={look}>{piece}</span> : piece;
      return mark ? <mark class={mark}>{words}</mark> : words;
    })}
  </>
);

/** Maximum number of characters shown before a passage is opened. */
const LONG = 420;

/** "Rank 1 · meaning 0.42 · keywords 7.41 · combined 0.88". The threshold may apply to a different score. */
const scoresText = ({ scores, ranks }: RetrievedChunk): string =>
  [
    `Rank ${ranks.final}`,
    scores.vector !== null && `meaning ${score(scores.vector)}`,
    scores.keyword !== null && `keywords ${score(scores.keyword)}`,
    scores.fused !== null && `combined ${score(scores.fused)}`,
    scores.rerank !== null && `reranker ${score(scores.rerank)}`,
  ]
    .filter((part) => part !== false)
    .map((part) => part.replace(" ", "\u00a0"))
    .join(" · ");
