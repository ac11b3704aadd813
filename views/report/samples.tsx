import {
  type Clipped,
  REPORT_LIMITS,
  type ReportSample,
  type RunReport,
} from "../../gateway/batch-evals/export/report";
import { metricName, outcomeText, valueText } from "../evals/words";
import { count, Fact, number } from "../ui/parts";
import { kindText } from "./figures";

/** The samples that failed, worst first, or those that match the export's filter. Details are folded. */
export const Samples = ({ samples, from, repeats }: Pick<RunReport, "samples" | "from"> & { repeats: number }) => (
  <section aria-labelledby="samples">
    <h2 id="samples">{from.filter ? "Selected results" : "Results that did not pass"}</h2>
    {samples.length === 0 ? (
      <p>{from.filter ? "No result matches the filter." : "Every result with a verdict passed."}</p>
    ) : (
      samples.map((sample) => <Sample sample={sample} hasRepeats={repeats > 1} />)
    )}
    <p class="hint">
      {samples.length < from.count
        ? `The worst ${number(samples.length)} of ${count(from.count, "result")}`
        : count(from.count, "result")}
      {from.filter && ` with ${filterText(from.filter)}`}. Texts are cut after {number(REPORT_LIMITS.text)} characters;
      the other export formats contain them in full.
    </p>
  </section>
);

const filterText = (filter: NonNullable<RunReport["from"]["filter"]>): string =>
  Object.entries(filter)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");

const Sample = ({ sample, hasRepeats }: { sample: ReportSample; hasRepeats: boolean }) => {
  const { key, repeat, passed, failure, error, input, output, references, contexts, scores } = sample;
  return (
    <details class="sample">
      <summary>
        <b>
          {key.toWellFormed()}
          {hasRepeats && `, answer ${repeat + 1}`}
        </b>
        <span class={passed ? "good" : "bad"}>{failure ? kindText(failure) : outcomeText(passed)}</span>
        <span class="question">{input.text.slice(0, 300)}</span>
      </summary>
      <dl class="record">
        <Fact name="Error">{error}</Fact>
        <Texts name="Input" texts={[input]} />
        <Texts name="Output" texts={output ? [output] : []} />
        <Texts name="References" texts={references} more={sample.moreReferences} />
        <Texts name="Contexts" texts={contexts} more={sample.moreContexts} />
        {scores.map(({ metric, evaluator, value, passed: isPassed, reason }) => (
          <div>
            <dt>
              {metricName(metric)}, {evaluator}
            </dt>
            <dd>
              <span class={isPassed === false ? "bad" : undefined}>
                {value === null ? "Not scored" : valueText(value)}
              </span>
              {reason.text !== "" && (
                <>
                  {". "}
                  <Text {...reason} />
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
};

const Text = ({ text, left }: Clipped) => (
  <>
    {text}
    {left > 0 && <span class="fine">… {count(left, "more character")}</span>}
  </>
);

const Texts = ({ name, texts, more = 0 }: { name: string; texts: readonly Clipped[]; more?: number }) =>
  texts.length === 0 ? null : (
    <div>
      <dt>{name}</dt>
      {texts.map((text) => (
        <dd class="verbatim">{text.text === "" ? <em class="fine">empty</em> : <Text {...text} />}</dd>
      ))}
      {more > 0 && <dd class="fine">and {number(more)} more</dd>}
    </div>
  );
