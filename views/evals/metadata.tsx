import type { RunInfo, SampleResult } from "../../gateway/evals/contract";
import { Fact } from "../ui/facts";
import { withQuery } from "../ui/lists";
import { RequestId } from "../ui/states";
import { duration, Time } from "../ui/time";
import { targetText } from "./words";

/** The model, data and settings behind a result. */
export const Metadata = ({ run, result }: { run: RunInfo; result?: SampleResult }) => {
  const { pins } = run;
  const output = result?.output;
  return (
    <details class="card fold" open>
      <summary>How this was measured</summary>
      <dl class="record">
        <Fact name="Target">{targetText(run)}</Fact>
        <Fact name="Model revision">{pins.model_revision && <code>{pins.model_revision}</code>}</Fact>
        <Fact name="Settings">{settingsOf(pins)}</Fact>
        <Fact name="Node">
          {[pins.engine, pins.node_version && `node ${pins.node_version}`].filter(Boolean).join(", ")}
        </Fact>
        <Fact name="Dataset">
          {pins.dataset && (
            <a href={withQuery(`/datasets/${pins.dataset.id}`, { revision: String(pins.dataset.revision) })}>
              {pins.dataset.name}, revision {pins.dataset.revision}
            </a>
          )}
        </Fact>
        <Fact name="Dataset hash">{pins.dataset && <code>{pins.dataset.hash}</code>}</Fact>
        <Fact name="Prompt hash">{pins.prompt_hash && <code>{pins.prompt_hash}</code>}</Fact>
        {pins.evaluators.map(({ evaluator, shadow, hash }) => (
          <Fact name={shadow ? "Shadow evaluator" : "Evaluator"}>
            {evaluator} <code>{hash.slice(0, 12)}</code>
          </Fact>
        ))}
        {[...addedEvaluators(run, result)].map(([evaluator, hash]) => (
          <Fact name="Scored again by">
            {evaluator} <code>{hash.slice(0, 12)}</code>
          </Fact>
        ))}
        <Fact name="Rubric hash">{pins.rubric_hash && <code>{pins.rubric_hash.slice(0, 12)}</code>}</Fact>
        {output?.usage && (
          <Fact name="Tokens">
            {output.usage.prompt_tokens} in, {output.usage.completion_tokens} out
          </Fact>
        )}
        {output?.latency && (
          <Fact name="Time">
            {duration(output.latency.total)}, first token {duration(output.latency.ttft)}
          </Fact>
        )}
        <Fact name="Cache">{output?.cache?.status}</Fact>
        <Fact name="Finish reason">{output?.finish_reason}</Fact>
        <Fact name="Version">Groundwire {pins.code_version}</Fact>
        <Fact name="Machine">{hostText(pins.host)}</Fact>
        <Fact name="Started">{run.started_at && <Time at={run.started_at} />}</Fact>
        <Fact name="Run">
          <code>{run.id}</code>
        </Fact>
        <Fact name="Request">{output?.request_id && <RequestId id={output.request_id} />}</Fact>
      </dl>
    </details>
  );
};

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
    repeats > 1 && `${repeats} repeats`,
  ]
    .filter(Boolean)
    .join(", ");

const hostText = ({ cpu, cores, memory_bytes: bytes, os, runtime }: RunInfo["pins"]["host"]): string =>
  [cpu, cores && `${cores} cores`, bytes && `${(Number(bytes) / 2 ** 30).toFixed(0)} GiB memory`, os, runtime]
    .filter(Boolean)
    .join(", ");
