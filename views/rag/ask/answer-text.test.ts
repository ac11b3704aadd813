import { describe, expect, test } from "bun:test";
import type { RagAnswer } from "../../../gateway/rag/contract";
import type { Citation } from "../../../gateway/retrieval-contract";
import { ANSWER, CITATIONS, sampleAnswer } from "../../../tests/browser/rag-samples";
import { answerHtml } from "./answer-text";

type Verdict = NonNullable<RagAnswer["grounding"]>["sentences"][number]["verdict"];

const linkOf = ({ marker }: Citation): string => `<a href="#${marker}">[${marker}]</a>`;

/** Citations for the markers in a text, and one verdict for each of these sentences. */
const shown = (answer: string, sentences: [text: string, verdict: Verdict][] = []): string => {
  const citations = [...answer.matchAll(/\[(\d)\]/g)].map((match) => ({
    ...(CITATIONS[0] as Citation),
    marker: Number(match[1]),
    answer_start: match.index,
    answer_end: match.index + 3,
  }));
  return answerHtml({
    answer,
    citations,
    linkOf,
    sentences: sentences.map(([text, verdict]) => {
      const answer_start = answer.indexOf(text);
      return { text, verdict, answer_start, answer_end: answer_start + text.length, score: 0.5, chunk_id: null };
    }),
  });
};

describe("the text of an answer", () => {
  test("has a link in place of each marker, and only there", () => {
    expect(shown("Everyone has **30 days** [1]. Ask [2][1].")).toBe(
      '<p dir="auto">Everyone has <strong>30 days</strong> <a href="#1">[1]</a>. Ask <a href="#2">[2]</a><a href="#1">[1]</a>.</p>\n',
    );
    expect(shown("`days[9]` of leave").replaceAll(/\[9\]/g, "")).not.toContain("\u2FF0");
  });

  test("marks sentences that are not supported, across bold text, in lists and in tables", () => {
    const html = shown("**Sell** five days.\n\n- Buy two days.\n\n| a | b |\n|---|---|\n| c | d |\n\nThe end.", [
      ["**Sell** five days.", "unsupported"],
      ["- Buy two days.", "partly"],
      ["| c | d |", "unsupported"],
      ["The end.", "supported"],
    ]);
    expect(html).toContain(
      '<strong><mark class="unsupported">Sell</mark></strong><mark class="unsupported"> five days.</mark>',
    );
    expect(html).toContain('<li><mark class="partly">Buy two days.</mark> <span class="verdict partly">');
    expect(html).toContain('<td><mark class="unsupported">c</mark></td>');
    expect(html).toContain('<p dir="auto">The end.</p>');
    expect(html).not.toMatch(/[\u2FF0\u2FF1]/);
  });

  test("has the passage that Groundwire found after its sentence", () => {
    const { grounding } = sampleAnswer();
    const html = answerHtml({ answer: ANSWER, citations: CITATIONS, sentences: grounding?.sentences ?? [], linkOf });
    expect(html).toContain('Sick days don’t count as holidays.<a href="#2">[2]</a>');
  });

  test("stays safe: HTML of a model is text, and a link contains no other link", () => {
    expect(shown('<img src=x onerror="alert(1)"> [1]')).not.toContain("<img");
    const html = shown("[See the rules [1] here](https://example.com)");
    expect(html).not.toMatch(/<a [^>]*>(?:(?!<\/a>).)*<a /s);
    expect(html).toContain('<a href="#1">[1]</a>');
  });
});
