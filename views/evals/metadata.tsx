import type { Child } from "hono/jsx";
import type { RunInfo, SampleResult } from "../../gateway/evals/contract";
import { DEFAULT_RETRIEVAL } from "../../gateway/rag/indexes/defaults";
import type { RetrievalReport } from "../../gateway/retrieval-contract";
import { retrievalText, score } from "../rag/words";
import { withQuery } from "../ui/lists";
import { count, duration, Facts, RequestId, Time } from "../ui/parts";
import { targetText } from "./words";

interface MetadataProps {
  run: RunInfo;
  result?: SampleResult;
  /** Further facts, after the settings. */
  more?: readonly (readonly [name: string, value: Child])[];
  isFolded?: boolean;
}

/** The model, data and settings behind a result. */
export const Metadata = ({ run, result, more = [], isFolded = false }: MetadataProps) => {
  const { pins } = run;
  const output = result?.output;
  const { dataset } = pins;
  const { usage, latency } = output ?? {};
  return (
    <details class="card fold" open={!isFolded}>
      <summary>How this was measured</summary>
      <Facts
        look="record"
        rows={[
          ["Target", targetText(run)],
          ["Model revision", pins.model_revision && <code>{pins.model_revision}</code>],
          ["Settings", settingsOf(pins)],
          ...more,
          ["Documents", indexText(pins)],
          ["Search", output?.retrieval && searchText(output.retrieval)],
          ["Node", [pins.engine, pins.node_version && `node ${pins.node_version}`].filter(Boolean).join(", ")],
          ["Dataset", dataset && <a href={revisionPath(dataset)}>{`${dataset.name}, revision ${dataset.revision}`}</a>],
          ["Dataset hash", dataset && <code>{dataset.hash}</code>],
          ["Prompt hash", pins.prompt_hash && <code>{pins.prompt_hash}</code>],
          ...pins.evaluators.map(({ evaluator, shadow, hash }) => evaluatorFact(shadow, evaluator, hash)),
          ...[...addedEvaluators(run, result)].map(([evaluator, hash]) => evaluatorFact(undefined, evaluator, hash)),
          ["Rubric hash", pins.rubric_hash && <code>{pins.rubric_hash.slice(0, 12)}</code>],
          ["Tokens", usage && `${usage.prompt_tokens} in, ${usage.completion_tokens} out`],
          ["Time", latency && `${duration(latency.total)}, first token ${duration(latency.ttft)}`],
          ["Cache", output?.cache?.status],
          ["Finish reason", output?.finish_reason],
          ["Version", `Groundwire ${pins.code_version}`],
          ["Machine", hostText(pins.host)],
          ["Started", run.started_at && <Time at={run.started_at} />],
          ["Run", <code>{run.id}</code>],
          ["Request", output?.request_id && <RequestId id={output.request_id} />],
        ]}
      />
    </details>
  );
};

const revisionPath = ({ id, revision }: { id: string; revision: number }) => withQuery(`/datasets/${id}`, { revision });

/** `isShadow`: undefined for an evaluator that scored the result again. */
const evaluatorFact = (isShadow: boolean | undefined, evaluator: string, hash: string) =>
  [
    isShadow === undefined ? "Scored again by" : isShadow ? "Shadow evaluator" : "Evaluator",
    <>
      {evaluator} <code>{hash.slice(0, 12)}</code>
    </>,
  ] as const;

/** Evaluators that scored the result in a recomputation, with their hashes. The run's pins do not list them. */
const addedEvaluators = ({ pins }: RunInfo, result: SampleResult | undefined): Map<string, string> =>
  new Map(
    result?.scores
      .filter((score) => !pins.evaluators.some(({ evaluator }) => evaluator === score.evaluator))
      .map(({ evaluator, evaluator_hash }) => [evaluator, evaluator_hash]),
  );

const settingsOf = ({ target, seed, repeats }: RunInfo["pins"]): string =>
  [
    target.kind !== "stored" && `temperature ${target.temperature ?? 0}`,
    target.max_tokens !== undefined && `at most ${target.max_tokens} tokens`,
    target.top_p !== undefined && `top_p ${target.top_p}`,
    `seed ${seed}`,
    repeats > 1 && `${repeats} answers per sample`,
  ]
    .filter(Boolean)
    .join(", ");

/** The index that was searched, in the state that the answer comes from. */
const indexText = ({ target, index_name: name, index_version: version, index_revision: revision }: RunInfo["pins"]) =>
  target.kind === "rag" && (
    <>
      <a href={`/rag/${target.index}`}>{name ?? target.index}</a>, version {version}, revision {revision}
      {`: ${retrievalText({ ...DEFAULT_RETRIEVAL, ...target.retrieval }).toLowerCase()}`}
    </>
  );

/** "relevance 0.92 (at least 0.50 required), 5 passages found, 4 read by the model". */
const searchText = ({ threshold, chunks, degraded }: RetrievalReport): string => {
  const used = chunks.filter(({ context }) => context !== null).length;
  return [
    threshold && `${threshold.score} ${score(threshold.best)} (at least ${score(threshold.value)} required)`,
    `${count(chunks.length, "passage")} found, ${used} read by the model`,
    degraded && "incomplete, because the vector store lacked vectors or was down",
  ]
    .filter(Boolean)
    .join(", ");
};

const hostText = ({ cpu, cores, memory_bytes: bytes, os, runtime }: RunInfo["pins"]["host"]): string =>
  [cpu, cores && `${cores} cores`, bytes && `${(Number(bytes) / 2 ** 30).toFixed(0)} GiB memory`, os, runtime]
    .filter(Boolean)
    .join(", ");
