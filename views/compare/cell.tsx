import type { Child } from "hono/jsx";
import type { SampleComparison } from "../../gateway/compare/contract";
import { FAILURE_WORDS, valueText } from "../evals/words";
import { diffLines, type LineGroup } from "../ui/line-diff";
import { Marked } from "../ui/marked";
import { count } from "../ui/parts";
import { percent } from "../ui/quantities";
import { diffWords } from "../ui/word-diff";

/** Lines of each cell. */
export const ROWS = { "1": "1 line", "3": "3 lines", all: "Whole texts" };
/** Parts of answers that are compared. */
export const DIFFS = { words: "Words", lines: "Lines" };

interface CellProps {
  sample: SampleComparison;
  /** Of the run. */
  index: number;
  /** The values are pass rates. */
  isRate: boolean;
  rows: keyof typeof ROWS;
  diff: keyof typeof DIFFS;
}

/** A sample in one run: its outcome, and its answer with the parts marked that differ from the baseline's answer. */
export const Cell = ({ sample, index, isRate, rows, diff }: CellProps) => {
  const own = sample.runs[index];
  const baseline = index > 0 ? sample.runs[0]?.output : undefined;
  if (!own || own.state === "missing") return <span class="state off">Missing</span>;
  const { value, failure, output, repeats, run_id, result_id, difference } = own;
  const outcome =
    value === null
      ? "Error"
      : isRate
        ? repeats > 1
          ? `${percent(value)} passed`
          : value === 1
            ? "Passed"
            : "Not passed"
        : valueText(value);
  const look = value === null ? "fair" : isRate ? (value === 1 ? "good" : "bad") : (difference ?? 0) === 0 ? "off" : "";
  return (
    <>
      <a class={`state ${look}`} href={`/batch-evals/${run_id}/samples/${result_id}`}>
        {outcome}
      </a>
      {failure && <span class="fine"> {FAILURE_WORDS[failure]}</span>}
      {rows === "1" ? " " : <br />}
      <Answer {...{ output, baseline, diff, rows }} />
    </>
  );
};

interface AnswerProps extends Pick<CellProps, "diff" | "rows"> {
  output: string | null;
  baseline: string | null | undefined;
}

/** Differences in words, or in lines if the texts have a line in common. Lines can replace words in whole texts. */
const Answer = ({ output, baseline, diff, rows }: AnswerProps): Child => {
  if (!output || !baseline) return output;
  if (output === baseline) return <span class="fine">same answer</span>;
  const words = diff === "words" ? diffWords(baseline, output) : undefined;
  if (words) return <Marked pieces={words.other} kind="ins" />;
  const groups = diff === "lines" || rows === "all" ? diffLines(baseline, output) : [];
  return groups.some(({ kind }) => kind === "same") ? <MarkedLines groups={groups} /> : output;
};

/** Lines with those marked that only one of two texts has. Of a long part that both have, only the ends are shown. */
const MarkedLines = ({ groups }: { groups: readonly LineGroup[] }) => (
  <span class="lines">
    {groups.map(({ kind, lines }, index) => {
      if (kind !== "same") return lines.map((line) => (kind === "added" ? <ins>{line}</ins> : <del>{line}</del>));
      const [before, after] = [index > 0 ? lines.slice(0, 1) : [], index < groups.length - 1 ? lines.slice(-1) : []];
      const left = lines.length - before.length - after.length;
      if (left <= 1) return lines.map((line) => <span>{line}</span>);
      return [
        ...before.map((line) => <span>{line}</span>),
        <span class="fine">{count(left, "unchanged line")}</span>,
        ...after.map((line) => <span>{line}</span>),
      ];
    })}
  </span>
);
