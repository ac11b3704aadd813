import type { LabelledFile, LabelledRow } from "../../gateway/evals/agreement/labelled-file";
import type { ScoredAnswer } from "../../gateway/evals/scored-answer";
import type { EmbedTexts } from "../../gateway/evals/scorers/embedding";
import { readAnswer } from "../../gateway/evals/scorers/faithfulness/claims";
import type { FaithfulnessRow } from "./faithfulness";

export type LabelledAnswer = Extract<LabelledRow, { task: "faithfulness" }>;

/** As the scorer gets it. */
export const answerOf = ({ question, context, answer }: LabelledAnswer): ScoredAnswer => ({
  question,
  references: [],
  contexts: [context],
  output: answer,
});

/** Characters that a claim and a marked span share, from which on the claim is meant. */
const LEAST_SHARED = 3;

const claimLabelsOf = (row: LabelledAnswer, claims: FaithfulnessRow["read"]["claims"]): (0 | 1 | null)[] =>
  claims.map(({ evidence: { claim } }) => {
    if (row.label === 1) return 1;
    if (!row.spans) return claims.length === 1 ? 0 : null;
    const isMarked = row.spans.some(
      ({ start, end }) => Math.min(end, claim.end) - Math.max(start, claim.start) >= LEAST_SHARED,
    );
    return isMarked ? 0 : 1;
  });

/** Reads the labelled faithfulness answers of the files, each against its context. `onRow` is called after each. */
export const readRows = async (
  files: readonly LabelledFile[],
  embed: EmbedTexts,
  onRow: () => void,
): Promise<FaithfulnessRow[]> => {
  const rows: FaithfulnessRow[] = [];
  for (const { name: file, rows: labelled } of files) {
    for (const row of labelled) {
      if (row.task !== "faithfulness") continue;
      const read = await readAnswer(answerOf(row), embed);
      const { id, label, answer, spans } = row;
      const group = `${file}/${row.group}`;
      rows.push({
        file,
        id,
        group,
        label,
        answer,
        hasQuestion: row.question !== null,
        read,
        claimLabels: claimLabelsOf(row, read.claims),
        spans,
      });
      onRow();
    }
  }
  return rows;
};
