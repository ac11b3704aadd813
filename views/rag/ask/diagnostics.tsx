import type { RagAnswer } from "../../../gateway/rag/contract";
import { Table } from "../../ui/lists";
import { count, duration } from "../../ui/parts";
import { score } from "../words";

const STAGES = {
  embed: "Embed the question",
  vector: "Search by meaning",
  keyword: "Search by keyword",
  fusion: "Combine",
  rerank: "Rerank",
  prompt: "Build the prompt",
  generation: "Write the answer",
  grounding: "Check the sentences",
} as const;

/** How the passages were found, and how long each stage took. */
export const Diagnostics = ({ answer: { diagnostics, chunks } }: { answer: RagAnswer }) => {
  const { stages_ms: stages, dropped_contexts: dropped, removed_markers: removed } = diagnostics;
  const rows = (Object.keys(STAGES) as (keyof typeof STAGES)[]).flatMap((name) => {
    const ms = stages[name];
    return ms === undefined ? [] : [{ name: STAGES[name], ms, share: ms / Math.max(stages.total, 0.001) }];
  });
  return (
    <details class="fold diagnostics">
      <summary>Diagnostics</summary>
      <ul class="remarks">
        <li>
          {count(diagnostics.vector_candidates, "candidate")} by meaning,{" "}
          {count(diagnostics.keyword_candidates, "candidate")} by keyword.
        </li>
        {dropped > 0 && <li>{count(dropped, "passage")} did not fit into the token budget.</li>}
        {removed > 0 && <li>{count(removed, "citation")} removed: no passage has that number.</li>}
      </ul>
      <Table
        caption="Time by stage"
        rows={rows}
        columns={[
          { name: "Stage", cell: ({ name }) => name },
          { name: "Time", isNumeric: true, cell: ({ ms }) => timeText(ms) },
          {
            name: "Share",
            isNumeric: true,
            cell: ({ share, name }) => <meter aria-label={`Share of ${name}`} value={share}></meter>,
          },
        ]}
      />
      <Table
        caption="Ranks of the passages"
        rows={chunks}
        columns={[
          { name: "Rank", isNumeric: true, cell: ({ ranks }) => ranks.final },
          {
            name: "Passage",
            isLong: true,
            cell: ({ document_title: title, position }) => `${title}, chunk ${position + 1}`,
          },
          { name: "By meaning", isNumeric: true, cell: ({ ranks, scores }) => rankText(ranks.vector, scores.vector) },
          { name: "By keyword", isNumeric: true, cell: ({ ranks, scores }) => rankText(ranks.keyword, scores.keyword) },
          { name: "Score", isNumeric: true, cell: ({ scores }) => score(scores.final) },
        ]}
      />
    </details>
  );
};

const timeText = (ms: number): string => (ms < 10 ? `${ms.toFixed(1)} ms` : duration(ms));

const rankText = (rank: number | null, value: number | null): string =>
  rank === null ? "–" : `${rank} (${score(value)})`;
