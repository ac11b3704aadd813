import type { BatchEval } from "../../gateway/batch-evals/contract";
import { Metadata } from "../evals/metadata";
import { percent } from "../ui/quantities";

/** The model, data and settings behind a run. */
export const RunSettings = ({ run }: { run: BatchEval }) => {
  const { settings, pins, tags } = run;
  const { samples } = pins;
  return (
    <Metadata
      run={run}
      isFolded
      more={[
        ["Samples with a tag", samples?.tags?.join(", ")],
        ["Sample limit", samples?.limit && `${samples.limit.toLocaleString("en")}, chosen at random by the seed`],
        ["Criteria", pins.rubric?.criteria.map((each) => (typeof each === "string" ? each : each.name)).join(", ")],
        ["Parallel requests", settings.max_concurrency && `at most ${settings.max_concurrency}`],
        [
          "Stop rule",
          settings.max_error_share != null && `fails if more than ${percent(settings.max_error_share)} are errors`,
        ],
        ["Tags", tags.join(", ")],
      ]}
    />
  );
};
