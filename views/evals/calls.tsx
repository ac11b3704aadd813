import type { ToolCall } from "../../gateway/chat/message";
import type { ExpectedCall } from "../../gateway/datasets/sample-contract";
import type { SampleResult } from "../../gateway/evals/contract";
import { canonicalJson } from "../../lib/canonical-json";
import { indentJson } from "../../lib/indent-json";
import { Marked } from "../ui/marked";
import { diffWords } from "../ui/word-diff";

/** An expected call as text, with sorted keys, so that equal calls have equal texts. */
export const textOfCall = ({ name, arguments: values }: ExpectedCall): string => {
  const json = canonicalJson(values);
  return `${name} ${indentJson(json) ?? json}`;
};

/** The same for a call that the answer makes. Arguments that aren't JSON are shown unchanged. */
const textOfMade = ({ function: { name, arguments: json } }: ToolCall): string => {
  try {
    return textOfCall({ name, arguments: JSON.parse(json || "{}") });
  } catch {
    return `${name} ${json}`;
  }
};

const joined = (texts: readonly string[] | undefined): string | undefined =>
  texts && (texts.length === 0 ? "none" : texts.join("\n\n"));

/** The answer's function calls next to the expected ones, with differing words marked. */
export const Calls = ({ result }: { result: SampleResult }) => {
  const { expected_tool_calls: expectedCalls, output } = result;
  if (expectedCalls === null && !output?.tool_calls?.length) return null;
  const expected = joined(expectedCalls?.map(textOfCall));
  const made = joined(output ? (output.tool_calls ?? []).map(textOfMade) : undefined);
  const diff = expected !== undefined && made !== undefined ? diffWords(expected, made) : undefined;
  return (
    <section aria-labelledby="calls-title">
      <h2 id="calls-title">Function calls</h2>
      <div class="compared" hx-ignore>
        {expected !== undefined && (
          <figure>
            <figcaption>Expected calls</figcaption>
            <p class="verbatim">{diff ? <Marked pieces={diff.one} kind="del" /> : expected}</p>
          </figure>
        )}
        {made !== undefined && (
          <figure>
            <figcaption>Actual calls</figcaption>
            <p class="verbatim">{diff ? <Marked pieces={diff.other} kind="ins" /> : made}</p>
          </figure>
        )}
      </div>
    </section>
  );
};
