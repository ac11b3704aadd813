import type { BatchEval } from "../../gateway/batch-evals/contract";
import type { ResultPlace } from "../../gateway/batch-evals/results";
import { textOfInput } from "../../gateway/datasets/content";
import type { SampleResult } from "../../gateway/evals/contract";
import type { FilledLabels } from "../evals/label-form";
import { Metadata } from "../evals/metadata";
import { ResultView } from "../evals/result";
import { type Frame, Screen } from "../layout";
import type { Problems } from "../ui/fields";
import { withQuery } from "../ui/lists";
import { Marked } from "../ui/marked";
import { count, Facts, number, RequestId } from "../ui/parts";
import { latency } from "../ui/quantities";
import { Split, type Stage } from "../ui/split";
import { type DiffPiece, diffWords } from "../ui/word-diff";
import { RUNS } from "./run";
import { outcomeLook, outcomeOf, type SampleFilter } from "./samples";

interface SamplePageProps extends Frame {
  run: BatchEval;
  result: SampleResult;
  place: ResultPlace;
  filter: SampleFilter;
  /** Evaluator whose claims are shown. */
  claims?: string;
  notice: string;
  filled?: FilledLabels;
  problems?: Problems;
}

/** One result of a run, with links to the results before and after it in the list that it was opened from. */
export const SamplePage = ({ run, result, place, filter, claims, filled, ...frame }: SamplePageProps) => {
  const path = `/batch-evals/${run.id}/samples`;
  const own = `${path}/${result.id}`;
  const { repeats } = run.pins;
  const isAlone = Object.keys(filter).length === 0;
  return (
    <Screen
      {...frame}
      scripts={["samples.js"]}
      title={`${result.sample_key} · ${run.name}`}
      heading={result.sample_key}
      kind="wide"
      trail={[
        RUNS,
        { path: `/batch-evals/${run.id}`, name: run.name },
        { path: withQuery(path, { ...filter }), name: "Samples" },
      ]}
      note={[
        repeats > 1 && `Answer ${result.repeat + 1} of ${repeats}`,
        result.group && `group ${result.group}`,
        result.tags.length > 0 && `tags ${result.tags.join(", ")}`,
      ]
        .filter(Boolean)
        .join(" · ")}
    >
      <nav class="neighbours" aria-label={isAlone ? "Samples of this run" : "Samples of the filtered list"}>
        <Neighbour rel="prev" id={place.previous} path={path} filter={filter} />
        <Neighbour rel="next" id={place.next} path={path} filter={filter} />
        {place.number && (
          <span class="fine">
            {number(place.number.number)} of {number(place.number.total)}
          </span>
        )}
        <label class="shortcut" hidden data-shortcut>
          <input type="checkbox" /> Use the keys J (next) and K (previous)
        </label>
      </nav>
      <ResultView
        {...{ ...frame, run, result, claims, filled }}
        path={withQuery(own, { ...filter })}
        labelPath={withQuery(`${own}/labels`, { ...filter })}
      >
        <Compared result={result} />
        {result.error && <p class="panel problem">{result.error.message}</p>}
        <Siblings result={result} place={place} path={path} filter={filter} />
      </ResultView>
      <Timing result={result} />
      <Metadata run={run} result={result} isFolded />
    </Screen>
  );
};

interface NeighbourProps {
  rel: "prev" | "next";
  id: string | null;
  path: string;
  filter: SampleFilter;
}

const Neighbour = ({ rel, id, path, filter }: NeighbourProps) => {
  const words = rel === "prev" ? "Previous sample" : "Next sample";
  return id === null ? (
    <span class="button secondary" aria-disabled="true">
      {words}
    </span>
  ) : (
    <a class="button secondary" rel={rel} href={withQuery(`${path}/${id}`, { ...filter })}>
      {words}
    </a>
  );
};

/**
 * The question, and the answer next to the expected answer that is most similar to it. Different words are marked.
 */
const Compared = ({ result: { input, references, output } }: { result: SampleResult }) => {
  const answer = output?.text;
  const all = references.map((expected) => ({ expected, diff: answer ? diffWords(expected, answer) : undefined }));
  const missing = ({ diff, expected }: (typeof all)[number]): number =>
    diff ? lengthOf(diff.one) + lengthOf(diff.other) : expected.length + (answer ?? "").length;
  const { expected, diff } = all.toSorted((a, b) => missing(a) - missing(b))[0] ?? {};
  const others = references.filter((reference) => reference !== expected);
  return (
    <section aria-labelledby="question-title">
      <h2 id="question-title">Question</h2>
      <p class="verbatim asked">{textOfInput(input)}</p>
      <div class="compared" hx-ignore>
        {expected !== undefined && (
          <figure>
            <figcaption>Expected answer</figcaption>
            <p class="verbatim">{diff ? <Marked pieces={diff.one} kind="del" /> : expected}</p>
            {others.length > 0 && <p class="fine">or: {others.join(" · ")}</p>}
          </figure>
        )}
        {answer !== undefined && (
          <figure>
            <figcaption>Answer</figcaption>
            <p class="verbatim">
              {answer === "" ? (
                <em class="nothing">empty</em>
              ) : diff ? (
                <Marked pieces={diff.other} kind="ins" />
              ) : (
                answer
              )}
            </p>
          </figure>
        )}
      </div>
      {expected !== undefined && answer && !diff && (
        <p class="hint">The two answers have too little in common to mark the differences.</p>
      )}
    </section>
  );
};

/** Total length of the words that only one of the two texts contains. */
const lengthOf = (pieces: readonly DiffPiece[]): number =>
  pieces.reduce((sum, { text, isShared }) => sum + (isShared ? 0 : text.length), 0);

/** The other answers to the same sample. */
const Siblings = ({
  result,
  place,
  path,
  filter,
}: Pick<SamplePageProps, "result" | "place" | "filter"> & { path: string }) =>
  place.repeats.length < 2 ? null : (
    <nav class="siblings" aria-label="Answers to this sample">
      {place.repeats.map((each) => (
        <a
          class={`state ${outcomeLook(each)}`}
          href={withQuery(`${path}/${each.id}`, { ...filter })}
          aria-current={each.id === result.id ? "page" : undefined}
        >
          Answer {each.repeat + 1}: {outcomeOf(each).toLowerCase()}
        </a>
      ))}
    </nav>
  );

/** The stages of an answer's latency. */
const Timing = ({ result: { output, attempts } }: { result: SampleResult }) => {
  const { latency: took, usage, request_id: requestId } = output ?? {};
  if (!took) return null;
  const first = Math.max(0, took.ttft - took.queue);
  const stages: Stage[] = [
    { name: "Waiting in the queue", ms: took.queue, look: 5 },
    { name: "First token", ms: first, look: 2 },
    { name: "Rest of the answer", ms: Math.max(0, took.total - took.queue - first), look: 1 },
  ];
  return (
    <section aria-labelledby="timing-title">
      <h2 id="timing-title">Where the time went</h2>
      <Split stages={stages} totalMs={took.total} />
      <Facts
        look="facts-list"
        rows={[
          ["Total", latency(took.total)],
          ["Tokens", usage && `${number(usage.prompt_tokens)} in, ${number(usage.completion_tokens)} out`],
          ["Attempts", attempts > 1 && count(attempts, "attempt")],
          ["Request", requestId && <RequestId id={requestId} />],
        ]}
      />
    </section>
  );
};
