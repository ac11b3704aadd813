import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import type { VersionComparison } from "../../../gateway/rag/quality/contract";
import { Table } from "../../ui/lists";
import { count } from "../../ui/parts";
import { difference, share } from "../words";

/** Number of questions listed. */
const MAX_LISTED = 50;

const LOOKS: Readonly<Record<VersionComparison["verdict"], string>> = {
  better: "success",
  worse: "problem",
  not_shown: "notice",
};

interface ComparedProps {
  index: RagIndex;
  comparison: VersionComparison;
}

/** Two versions on the same questions: the verdict, the figures, and the questions that changed. */
export const Compared = ({ index, comparison }: ComparedProps) => {
  const { a, b, k, left_out: leftOut, verdict, summary, metrics, questions } = comparison;
  const names = { ndcg_at_k: `nDCG at ${k}`, recall_at_k: `Recall at ${k}`, mrr: "MRR" };
  const changed = questions.filter((question) => question.difference !== 0);
  const isActive = b === index.active.version;
  return (
    <section class="card measured" aria-labelledby="measured-title">
      <h2 id="measured-title" tabindex={-1} autofocus>
        Version {b} compared with version {a}
      </h2>
      <p class={`panel ${LOOKS[verdict]}`}>{summary}</p>
      {leftOut > 0 && <p class="fine">Left out: {count(leftOut, "question")} without a document.</p>}
      <Table
        caption="Search quality of both versions"
        rows={metrics}
        columns={[
          { name: "Metric", cell: ({ metric }) => names[metric] },
          { name: `Version ${a}`, isNumeric: true, cell: (row) => share(row.a) },
          { name: `Version ${b}`, isNumeric: true, cell: (row) => share(row.b) },
          { name: "Difference", isNumeric: true, cell: (row) => difference(row.difference) },
          {
            name: "95 % interval",
            cell: ({ interval }) => (interval ? `${difference(interval.low)} to ${difference(interval.high)}` : "–"),
          },
          { name: "Better", isNumeric: true, cell: ({ better }) => count(better, "question") },
          { name: "Worse", isNumeric: true, cell: ({ worse }) => count(worse, "question") },
        ]}
      />
      <h3>Questions that changed</h3>
      {changed.length === 0 ? (
        <p>Both versions rank the documents of every question equally well.</p>
      ) : (
        <>
          <p class="fine">
            {changed.length > MAX_LISTED ? `The ${MAX_LISTED} largest of ${changed.length} changes. ` : ""}
            nDCG at {k}, largest change first.
          </p>
          <Table
            caption="Questions that changed most"
            rows={changed.slice(0, MAX_LISTED)}
            columns={[
              { name: "Question", isLong: true, cell: ({ question }) => question },
              { name: `Version ${a}`, isNumeric: true, cell: (row) => share(row.a.ndcg_at_k) },
              { name: `Version ${b}`, isNumeric: true, cell: (row) => share(row.b.ndcg_at_k) },
              { name: "Difference", isNumeric: true, cell: (row) => difference(row.difference) },
            ]}
          />
        </>
      )}
      {!isActive && (
        <form method="post" action={`/rag/${index.id}/versions/${b}/activate`} class="form-end">
          <button type="submit" class={verdict === "better" ? undefined : "secondary"}>
            Use version {b}
          </button>
        </form>
      )}
    </section>
  );
};
