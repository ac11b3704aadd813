import { describe, expect, test } from "bun:test";
import { abstains, bareAnswerOf } from "./refusal";

test.each(
  `IDK | idk. | I don't know | I don’t know. | Don't know. | dont know | dunno | I really do not know. | No idea! | N/A | n/a. | NA | N.A. |
  unknown | Unknown. | UNANSWERABLE | not answerable | No answer | No answer found. | Cannot be determined. |
  It cannot be determined from the context. | Not mentioned in the context. | not specified | none given | None provided. |
  Not enough information | Insufficient information. | The answer is unknown. | This question is unanswerable. | I'm not sure. |
  Sorry, I don't know. | The answer cannot be found in the documents provided. | **N/A** | Answer: N/A | No information available. |
  It is unclear who founded it. | Not known when it was built. | Je ne sais pas. | Ich weiß es nicht. | Keine Ahnung. | No sé. |
  Non lo so. | Não sei. | Не знаю. | 不知道 | わかりません | 모르겠습니다 | لا أعرف | Unbekannt | 不明 |
  I'm not able to answer that. | Not in context | Out of scope | Undisclosed | Hard to say. | Don't know, sorry. |
  It doesn't say. | There isn't enough information. |
  Unable to determine. | Not applicable | Can't say. | I cannot answer this question. | I don\`t know`
    .split("|")
    .map((text) => text.trim()),
)("%j is an abstention", (text) => {
  expect(bareAnswerOf(text)).toBe("abstains");
  expect(abstains(text)).toBe(true);
});

test.each([
  ["yes", "yes"],
  ["Yes.", "yes"],
  ["TRUE", "yes"],
  ["Answer: yes", "yes"],
  ["**True**", "yes"],
  ["yep", "yes"],
  ["Correct!", "yes"],
  ["That is correct.", "yes"],
  ["Yes, that is right.", "yes"],
  ["The correct answer is yes.", "yes"],
  ["The statement is true.", "yes"],
  ["no", "no"],
  ["False", "no"],
  ["nope", "no"],
  ["The answer is no.", "no"],
  ["Not really.", "no"],
  ["The claim is supported.", "yes"],
  ["The claim is not supported.", "no"],
  ["Verdict: FALSE", "no"],
  ["Incorrect.", "no"],
  ["It is not true.", "no"],
  ["No, that's incorrect.", "no"],
  ["'No'", "no"],
  ["No, it is not.", "no"],
  ["It isn't.", "no"],
  ["Yes, it does.", "yes"],
  ["It does.", "yes"],
  ["True or false: false", "no"],
  ["Yes/no: yes", "yes"],
  ["Absolutely.", "yes"],
  ["Absolutely not.", "no"],
  ["Not at all.", "no"],
  ["untrue", "no"],
  ["Ja", "yes"],
  ["Nein.", "no"],
  ["Oui", "yes"],
  ["Não", "no"],
  ["Да", "yes"],
  ["Нет", "no"],
  ["是", "yes"],
  ["いいえ", "no"],
  ["لا", "no"],
] as const)("%j is a bare %s", (text, stance) => expect(bareAnswerOf(text)).toBe(stance));

test.each([
  ...[
    "Unknown Pleasures",
    "No Country for Old Men",
    "No, it is blue",
    "True Grit",
    "None of the above",
    "None",
    "Na",
    "Na+",
    "na",
  ],
  ...[
    "Unknown author",
    "False alarm",
    "Wrong answer",
    "Right now",
    "Not Guilty",
    "Yes and no",
    "true or false",
    "no one",
    "It is 5.",
    "It is clear who founded it.",
    "It can fly.",
    "Si",
    "Y",
    "Unclear skies ahead",
  ],
  ...["I know the answer.", "unclear waters", "Nothing", "The Answer", "Yes Minister", "Nobody", "Dr. No", "0", ""],
])("%j is an answer", (text) => expect(bareAnswerOf(text)).toBeUndefined());

describe("whether a whole answer abstains", () => {
  test.each([
    ["I'm sorry. The passages do not mention who founded it.", true],
    ["I don't know, but I'm afraid the passages don't say either.", true],
    ["No information is given in the documents. Let me know if you need more.", true],
    ["None of the documents mention it.", true],
    ["None of the above documents mention it.", true],
    ["It is unclear from the context who founded it.", true],
    ["Insufficient context to answer the question.", true],
    ["IDK, sorry", true],
    ["Based on the provided context, I cannot determine who founded it [1].", true],
    ["The founder is Eiffel. The documents do not say more.", false],
    ["The king did not know his father.", false],
    ["I don't know. It was founded by Eiffel.", false],
    ["I don't know, but I think it was Eiffel.", false],
    ["Yes.", false],
    ["", false],
  ])("%j: %p", (text, expected) => expect(abstains(text)).toBe(expected));
});
