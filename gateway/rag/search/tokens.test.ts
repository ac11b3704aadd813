import { expect, test } from "bun:test";
import { stemOf, tokensOf } from "./tokens";

test.each([
  ["It's in snake_case, GW-1042!", ["it", "s", "in", "snake", "case", "gw", "1042"]],
  ["Café STRASSE Straße “quoted”—dash", ["cafe", "strasse", "strasse", "quoted", "dash"]],
  ["ﬁne ２０２６ 𝔘𝔫𝔦", ["fine", "2026", "uni"]],
  ["東京タワーは、高い", ["東京", "京タ", "タワ", "ワー", "ーは", "高い"]],
  ["水 iPhone15を買う", ["水", "iphone15", "を買", "買う"]],
  ["한국어 검색", ["한국", "국어", "검색"]],
  ["ภาษาไทย", ["ภาษา", "ไทย"]],
  ["हिन्दी में क्षेत्र", ["हिन्दी", "में", "क्षेत्र"]],
  ["ёлка Ελλάδα", ["ёлка", "ελλάδα"]],
  ["… — “” 🎉", []],
])("%s is split into %j", (text, tokens) => {
  expect(tokensOf(text)).toEqual(tokens);
});

// Examples from Porter's paper, one or two for each step.
test.each([
  ["caresses", "caress"],
  ["ponies", "poni"],
  ["feed", "feed"],
  ["plastered", "plaster"],
  ["motoring", "motor"],
  ["conflated", "conflat"],
  ["hopping", "hop"],
  ["happy", "happi"],
  ["relational", "relat"],
  ["vietnamization", "vietnam"],
  ["electrical", "electr"],
  ["adjustment", "adjust"],
  ["controll", "control"],
])("the stem of %s is %s", (word, stem) => {
  expect(stemOf(word)).toBe(stem);
});

test("words of other languages, numbers and very long words are not stemmed", () => {
  for (const word of ["élections", "9s", "東京", "s".repeat(1000)]) expect(stemOf(word)).toBe(word);
});
