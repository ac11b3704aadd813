// LOCAL STUB until the scorers land
export const claimSpans = (output: string) =>
  [...output.matchAll(/[^.!?\n]+[.!?]?/g)]
    .map((m) => ({
      text: m[0].trim(),
      start: m.index + (m[0].length - m[0].trimStart().length),
      end: m.index + m[0].trimEnd().length,
    }))
    .filter((c) => c.text);
export const scoreReference = async (answer: any, embed: any) => {
  const out = [] as any[];
  const low = answer.output.toLowerCase();
  await embed([answer.output || "x"]);
  if (answer.references.length) {
    const ok = answer.references.some((r: string) => low.includes(r.toLowerCase()));
    out.push({
      metric: "correctness",
      value: ok ? 0.96 : 0.1,
      reason: ok ? "The answer contains a reference." : "No reference stands in the answer.",
      claims: [],
    });
  }
  if (answer.contexts.length) {
    const claims = claimSpans(answer.output).map((c: any) => {
      const ok = answer.contexts.some((x: string) => x.toLowerCase().includes(c.text.toLowerCase().slice(0, 12)));
      return { ...c, unsupported: [], verdict: ok ? "supported" : "unsupported", score: ok ? 0.9 : 0.1, context: 0 };
    });
    const bad = claims.filter((c: any) => c.verdict !== "supported").length;
    const v = claims.length ? 1 - bad / claims.length : 1;
    out.push(
      { metric: "faithfulness", value: v, reason: `${bad} of ${claims.length} claims are not supported.`, claims },
      { metric: "hallucination", value: 1 - v, reason: "Share of claims.", claims },
    );
  }
  return out;
};
