import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Claim } from "../../contract";
import { scoreFaithfulness } from "./score-faithfulness";

const score = (output: string, ...contexts: string[]) =>
  scoreFaithfulness({ question: null, references: [], contexts, output });

const marked = (output: string, claims: readonly Claim[]): string[] =>
  claims.flatMap(({ unsupported }) => unsupported.map(({ start, end }) => output.slice(start, end)));

const TOWER =
  "The Eiffel Tower was completed in 1889 for the World's Fair in Paris. It is 330 metres tall and was designed by " +
  "the company of Gustave Eiffel. The tower was not meant to be permanent. About seven million people visit it every year.";

describe("a statement", () => {
  test("in the words of the context is supported", () => {
    const { faithfulness, hallucination, claims } = score("The Eiffel Tower was completed in 1889.", TOWER);
    expect(faithfulness.value).toBeGreaterThan(0.5);
    expect(hallucination.value).toBe(0);
    expect(claims).toMatchObject([{ verdict: "supported", unsupported: [], context: 0 }]);
  });

  test("with other inflections and in a different order is supported", () => {
    const { faithfulness } = score("It was Gustave Eiffel's company that designed the tower.", TOWER);
    expect(faithfulness.value).toBeGreaterThan(0.5);
  });

  test("with stop words that a short context lacks is supported", () => {
    const context = "France is a country in Europe. Its capital is Paris.";
    expect(score("The capital of France is Paris.", context).faithfulness.value).toBeGreaterThan(0.5);
  });

  test.each([
    ["a number", "The Eiffel Tower was completed in 1912 and is 450 metres tall.", "450"],
    ["a name", "The tower in Berlin was designed by the company of Walter Gropius.", "Gropius"],
    ["an unrelated subject", "Elephants prefer bananas from tropical gardens.", "bananas"],
  ])("with %s that no context contains is unsupported, and the span includes it", (_, output, part) => {
    const { faithfulness, hallucination, claims } = score(output, TOWER);
    expect(faithfulness.value).toBeLessThan(0.5);
    expect(hallucination.value).toBe(1);
    expect(marked(output, claims).join("|")).toContain(part);
  });

  test.each([
    ["a wrong year", "The Eiffel Tower was completed in 1912."],
    ["a wrong height", "The Eiffel Tower is 450 metres tall."],
    ["a denial of what the context says", "The Eiffel Tower was not completed in 1889."],
    ["a claim that the context denies", "The Eiffel Tower was meant to be permanent."],
  ])("that is right except for one error fails: %s", (_, output) => {
    const { faithfulness, claims } = score(output, TOWER);
    expect(faithfulness.value).toBeLessThan(0.5);
    expect(claims[0]?.verdict).not.toBe("supported");
  });

  test("that denies what the context denies is supported", () => {
    const { faithfulness } = score("The tower was not meant to be permanent.", TOWER);
    expect(faithfulness.value).toBeGreaterThan(0.5);
  });

  test("names the context that supports it", () => {
    const { claims } = score("Marie Curie discovered radium.", TOWER, "Marie Curie discovered radium in 1898.");
    expect(claims).toMatchObject([{ context: 1, verdict: "supported" }]);
  });

  test("scores higher with one wrong word than with many", () => {
    const near = score("The Eiffel Tower was completed in 1889 for the Olympics in Paris.", TOWER);
    const far = score("My cat enjoyed the Olympics with cheap popcorn.", TOWER);
    expect(near.faithfulness.value).toBeGreaterThan(far.faithfulness.value);
  });
});

const SHOP = JSON.stringify({
  name: "Corner Cafe",
  hours: { Monday: "8:0-14:0", Tuesday: "8:0-14:0", Wednesday: "8:0-14:0", Thursday: "8:0-14:0", Friday: "8:0-20:0" },
  attributes: { WiFi: "no", OutdoorSeating: true, Music: null, BusinessParking: { garage: false, lot: true } },
  stars: 4.5,
  reviews: [{ text: "Lovely pancakes and quick service." }],
});

describe("an answer that summarizes a record", () => {
  test.each([
    ["a denied property", "Corner Cafe has pancakes. It offers free WiFi to guests.", "WiFi"],
    ["an affirmed one", "Corner Cafe has pancakes. It has no outdoor seating.", "outdoor seating"],
    ["a property left open", "Corner Cafe has pancakes. It plays music.", "music"],
    ["a nested property", "Corner Cafe has pancakes. There is a garage for guests.", "garage"],
  ])("with a wrong claim about %s has it marked", (_, output, part) => {
    const { claims } = score(output, SHOP);
    expect(claims[1]?.verdict).not.toBe("supported");
    expect(marked(output, claims.slice(1)).join("|")).toContain(part);
  });

  test.each([
    "It does not offer WiFi.",
    "It has outdoor seating and a parking lot, but no garage.",
    "It is open Monday to Thursday from 8:00 AM to 2:00 PM, and on Friday from 8 am to 8 pm.",
    "It has a rating of 4.5 stars.",
    "The data don't say whether there is music.",
  ])("is supported if it is right: %s", (output) => {
    const { claims } = score(output, SHOP);
    expect(claims.every(({ verdict }) => verdict === "supported")).toBe(true);
  });

  test("has a note that quotes the data", () => {
    const { claims, faithfulness } = score("Corner Cafe offers free WiFi.", SHOP);
    const note = 'The data deny "wi fi", but the answer affirms it.';
    expect(claims[0]?.unsupported[0]?.note).toBe(note);
    expect(faithfulness.reason).toContain(note);
  });
});

test('the words after "but" are a claim, even if the answer begins with an abstention', () => {
  const { claims } = score("I don't know much about it, but I know that it won a prize in Sweden.", TOWER);
  expect(claims).toHaveLength(1);
  const silent = score("I don't know, but I'm afraid the passages don't say either.", TOWER);
  expect(silent.claims).toEqual([]);
});

describe("citations and attributions don't change the score", () => {
  const plain = "The Eiffel Tower was completed in 1889";
  test.each([
    `${plain} [1].`,
    `${plain}[1][2].`,
    `${plain}【1】.`,
    `${plain}【1†source】.`,
    `${plain} (source 2).`,
    `${plain} (Source: tower.pdf, p. 3).`,
    `${plain}.¹`,
    `${plain}.\n\nSources: [1] [2]`,
    `According to the documents, ${plain}.`,
    `Based on the provided context, ${plain}.`,
    `The passage states that ${plain}.`,
    `As mentioned in document 2, ${plain}.`,
  ])("%j", (output) => {
    const { faithfulness, hallucination, claims } = score(output, TOWER);
    const bare = score(`${plain}.`, TOWER);
    expect(faithfulness.value).toBeCloseTo(bare.faithfulness.value, 6);
    expect(hallucination.value).toBe(0);
    expect(claims).toHaveLength(1);
    expect(claims.map(({ start, end }) => output.slice(start, end))).toEqual(claims.map(({ text }) => text));
  });

  test("if they are in the contexts", () => {
    const { faithfulness } = score(`${plain}.`, "The Eiffel Tower[1] was completed[2][3] in 1889.[4] It is tall.");
    expect(faithfulness.value).toBeGreaterThan(0.5);
    const { claims } = score("The tower has 4 floors.", "The tower has floors.[4]");
    expect(claims[0]?.verdict).not.toBe("supported");
  });

  test("the span of a false claim has offsets in the original output", () => {
    const output = "According to the documents [1], the tower was sold to 12 Martians【2】. It is 330 metres tall [3].";
    const { claims } = score(output, TOWER);
    expect(claims.map(({ verdict }) => verdict)).toEqual(["unsupported", "supported"]);
    expect(marked(output, claims).join()).toContain("12 Martians");
    expect(marked(output, claims).join()).not.toContain("documents");
  });

  test("a claim attributed to a person is still checked", () => {
    const { claims } = score("According to Gropius, the tower was completed in 1889.", TOWER);
    expect(claims[0]?.text).toStartWith("According to Gropius");
    expect(claims[0]?.verdict).not.toBe("supported");
  });
});

describe("an answer without claims", () => {
  test.each([
    ["I can't find that in the passages.", 0.1, "can't answer the question"],
    ["Unable to answer based on given passages.", 0.1, "can't answer the question"],
    ["IDK", 0.1, "can't answer the question"],
    ["Don't know. [1]", 0.1, "can't answer the question"],
    ["N/A", 0.1, "can't answer the question"],
    ["According to the documents, the answer is unknown.", 0.1, "can't answer the question"],
    ["It is unclear who built it.", 0.1, "can't answer the question"],
    ["None of the above documents mention it.", 0.1, "can't answer the question"],
    ["Je ne sais pas.", 0.1, "can't answer the question"],
    ["None", 0.1, "no claim"],
    ["null", 0.1, "no claim"],
    ["False", 0.1, "yes or no"],
    ["No, it isn't.", 0.1, "yes or no"],
    ["Absolutely not.", 0.1, "yes or no"],
    ["Nein", 0.1, "yes or no"],
    ["The answer is no.", 0.1, "yes or no"],
    ["Yes [1].", 0.1, "yes or no"],
    ["Thank you! I hope this helps.", 0.1, "no claim"],
    ["[1] [2]", 0.1, "no claim"],
    ["What do you mean?", 0.1, "no claim"],
    ["👍", 0.1, "no claim"],
    ["", 0, "empty"],
  ])("%p has its own value and reason, and no hallucination", (output, value, word) => {
    const { faithfulness, hallucination, claims } = score(output, TOWER);
    expect(claims).toEqual([]);
    expect(faithfulness.value).toBe(value);
    expect(faithfulness.reason).toContain(word);
    expect(hallucination.value).toBe(0);
  });

  test.each([
    ["IDK", "unknown", 1],
    ["The passages do not say who it was.", "N/A", 1],
    ["Yes.", "yes", 1],
    ["The answer is no.", "False", 1],
    ["IDK", "Gustave Eiffel", 0.1],
    ["Yes.", "no", 0.1],
  ])("%p with the reference %p scores %p", (output, reference, value) => {
    const answer = { question: null, references: [reference], contexts: [TOWER], output };
    expect(scoreFaithfulness(answer).faithfulness.value).toBe(value);
  });

  test.each([
    "No, it was completed in 1950.",
    "True Grit",
    "None of the above.",
    "Unknown Pleasures",
    "No Country for Old Men",
  ])("%p makes a claim", (output) => expect(score(output, TOWER).claims).toHaveLength(1));
});

describe("the reason for a value far below the proportion of supported claims", () => {
  test("gives the percentage of words that are not part of any claim", () => {
    const talk = "Do you like towers? Have you ever been there? What did you think of them?";
    const { faithfulness, claims } = score(`The tower is tall. ${talk}`, TOWER);
    expect(claims.map(({ verdict }) => verdict)).toEqual(["supported"]);
    expect(faithfulness.reason).toMatch(
      /The score is lower .* \d+ % of the answer's words are not part of any claim\./,
    );
  });

  test("names an unsupported claim and its support, and doesn't mention small doubts", async () => {
    const context = "The bakery opens at 6:30 on weekdays. A loaf of rye costs 4.20 euros.";
    const output = "It opens at 6:30. A loaf costs about four euros. It was founded in 1871 by two brothers.";
    const { faithfulness, claims } = await score(output, context);
    const weakest = claims.toSorted((a, b) => a.score - b.score)[0];
    expect(weakest?.verdict).toBe("unsupported");
    expect(faithfulness.reason).toEndWith(
      "The score is lower than the share of supported claims, because it depends most on the weakest claim: " +
        `the support of "It was founded in 1871 by two brothers." is ${weakest?.score.toFixed(2)}.`,
    );
    expect(faithfulness.reason).not.toContain("mall doubts");
  });

  test("is omitted if they agree", () => {
    const { faithfulness } = score("The Eiffel Tower was completed in 1889.", TOWER);
    expect(faithfulness.reason).toBe("The only claim is supported.");
  });
});

describe("for any texts", () => {
  const script = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string(),
    fc.constantFrom(
      "👩‍👩‍👧 wrote 3 books.\r\n- It’s 10:30.",
      "\ud800 lone. \udc00",
      "漢字かな交じり文。次の文。",
      "مرحبا بالعالم. ١٩٨٩",
      "{}",
      "[1",
      "null",
    ),
  );

  test("values are between 0 and 1, offsets match the claims, spans are inside them, and supported claims have none", () => {
    fc.assert(
      fc.property(script, script, (output, context) => {
        const { faithfulness, hallucination, claims } = score(output, context);
        for (const { value } of [faithfulness, hallucination]) expect(value >= 0 && value <= 1).toBe(true);
        for (const { text, start, end, verdict, unsupported } of claims) {
          expect(output.slice(start, end)).toBe(text);
          expect(unsupported.length === 0).toBe(verdict === "supported");
          for (const span of unsupported)
            expect(start <= span.start && span.start < span.end && span.end <= end).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("hallucination is the proportion of unsupported claims", () => {
    const { hallucination, claims } = score(
      "The Eiffel Tower was completed in 1889.\n- It is 330 metres tall.\n- Elephants like 77 bananas.\n- Seven million people visit it every year.",
      TOWER,
    );
    expect(claims.map(({ verdict }) => verdict)).toEqual(["supported", "supported", "unsupported", "supported"]);
    expect(hallucination).toEqual({ value: 0.25, reason: "1 of 4 claims is unsupported." });
  });

  test("offsets count UTF-16 units, even after emoji and Windows line endings", () => {
    const output = "👍 The tower is 330 metres tall.\r\nIt was sold to 12 Martians.";
    const { claims } = score(output, TOWER);
    expect(claims.map(({ start, end }) => output.slice(start, end))).toEqual(claims.map(({ text }) => text));
    expect(marked(output, claims).join()).toContain("12 Martians");
  });

  test("the same texts have the same scores", () => {
    const output = "The tower is 330 metres tall. It was painted green in 1950.";
    expect(score(output, TOWER)).toEqual(score(output, TOWER));
  });

  test.each([
    ["one word", "a".repeat(50_000), "a".repeat(500_000)],
    ["one sentence", "the cat ".repeat(6_000), "the cat ".repeat(60_000)],
    ["initials", "A. ".repeat(15_000), "A. ".repeat(150_000)],
    ["negations", `${"not ".repeat(12_000)}unable to answer`, "no ".repeat(150_000)],
    ["hours", "Monday to Friday from 9 am to 5 pm, ".repeat(1_400), '{"Monday":"9:0-17:0"}'],
    ["brackets", "It is deep.", "[".repeat(500_000)],
  ])(
    "long input is scored in seconds: %s",
    (_, output, context) => {
      const start = performance.now();
      score(output, context);
      expect(performance.now() - start).toBeLessThan(10_000);
    },
    20_000,
  );

  test("the number of claims is limited", () => {
    const sentences = Array.from({ length: 1000 }, (_, at) => `The tower number ${at} is tall.`).join(" ");
    expect(score(sentences, `${TOWER} ${sentences}`).claims.length).toBeLessThanOrEqual(401);
  }, 60_000);
});
