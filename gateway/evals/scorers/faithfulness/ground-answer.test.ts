import { expect, test } from "bun:test";
import { groundAnswer } from "./ground-answer";

const HANDBOOK = "Everyone has 30 days of leave. Illness is reported by phone. Leave is booked in March.";
const HISTORY = "The company was founded in 1987. It has 30 offices.";

const ground = (output: string, question: string | null = null, contexts = [HANDBOOK, HISTORY]) =>
  groundAnswer({ question, references: [], contexts, output });
const quotes = (places: ReturnType<typeof ground>["questionPlaces"], contexts = [HANDBOOK, HISTORY]) =>
  places.map((span, at) => span && contexts[at]?.slice(span.start, span.end));

test("each claim has the closest sentence of each context", () => {
  const { claims } = ground("Illness is reported by phone. The company was founded in 1987.");
  expect(claims.map(({ verdict, places }) => [verdict, ...quotes(places)])).toEqual([
    ["supported", "Illness is reported by phone.", null],
    ["supported", null, "The company was founded in 1987."],
  ]);
});

test("the question decides between sentences with the same words of a short answer", () => {
  const contexts = ["There are 30 chairs. Everyone has 30 days of leave."];
  const { claims } = ground("It is 30.", "How many days of leave are there?", contexts);
  expect(quotes(claims[0]?.places ?? [], contexts)).toEqual(["Everyone has 30 days of leave."]);
});

test("an answer without a claim has the sentences closest to the question", () => {
  const { claims, questionPlaces } = ground("Yes.", "Is illness reported by phone?");
  expect([claims.length, quotes(questionPlaces)]).toEqual([0, ["Illness is reported by phone.", null]]);
});

test("markers in a context don't change the offsets", () => {
  const contexts = ["It opened in May [12]. Illness is reported by phone [3]."];
  const { claims } = ground("Illness is reported by phone.", null, contexts);
  expect(quotes(claims[0]?.places ?? [], contexts)).toEqual(["Illness is reported by phone [3]."]);
});

test("a JSON record has no places, because its text is rewritten", () => {
  expect(ground("The name is Ada.", null, ['{"name": "Ada"}']).claims[0]?.places).toEqual([null]);
});
