import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compareDates, readDates } from "./dates";
import { isSameNumber, readNumbers } from "./numbers";
import { indexOfRun, lcsLength, recall, rougeL, runsOf, tokenF1 } from "./overlap";
import { readSentences } from "./sentences";
import { stemOf } from "./stem";
import { isSameTime, readTimes } from "./times";
import { readWords } from "./words";

const norms = (text: string) => readWords(text).map(({ norm }) => norm);

describe("words", () => {
  test.each([
    ["Beyoncé’s BEYONCE", ["beyonce", "beyonce"]],
    ["1,000 3.14, 2.", ["1000", "3.14", "2"]],
    ["P. V. Sindhu and J.K. Rowling", ["pv", "sindhu", "and", "jk", "rowling"]],
    ["don't rock'n'roll", ["dont", "rocknroll"]],
    ["drunk1 in 2014⁹", ["drunk", "in", "2014"]],
    ["Straße, Łódź, Ærø", ["strasse", "lodz", "aero"]],
    ["ﬁnal ①", ["final"]],
    ["日本 です", ["日", "本", "で", "す"]],
    ["нет 한국 नमस्ते", ["нет", "한국", "नमस्ते"]],
    ["", []],
    ["\ud800 😀 —", []],
  ])("%j is normalised", (text, expected) => expect(norms(text)).toEqual(expected));

  test("offsets match the word, in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        let from = 0;
        for (const word of readWords(text)) {
          expect(text.slice(word.start, word.end)).toBe(word.text);
          expect(word.start).toBeGreaterThanOrEqual(from);
          from = word.end;
        }
      }),
    );
  }, 60_000);

  test.each([
    ["emperors", "emperor"],
    ["marking", "mark"],
    ["filmed", "film"],
    ["stories", "story"],
    ["king", "king"],
    ["bus", "bus"],
    ["boxes", "box"],
    ["1990s", "1990s"],
  ])("%s has the stem %s", (word, stem) => expect(stemOf(word)).toBe(stem));
});

describe("numbers", () => {
  const first = (text: string) => readNumbers(text)[0];
  test.each([
    ["1,500 m", 1500, "length"],
    ["two hundred and five", 205, undefined],
    ["twenty-one days", 21, "time"],
    ["$2.5 million", 2_500_000, "usd"],
    ["€5m", 5_000_000, "eur"],
    ["40 %", 40, "percent"],
    ["5km", 5, "length"],
    ["World War II", 2, undefined],
    ["the 3rd", 3, undefined],
    ["٣٤", 34, undefined],
    ["1990s", 1990, undefined],
  ])("the number in %s is read", (text, value, dimension) => {
    expect([first(text)?.value, first(text)?.unit?.dimension]).toEqual([value, dimension]);
  });

  test("neighbouring numbers are not merged, and I and CD are not numbers", () => {
    expect(readNumbers("two and three, eleven eighty").map(({ value }) => value)).toEqual([2, 3, 11, 80]);
    expect(readNumbers("I have a CD")).toEqual([]);
  });

  test.each([
    ["5 km", "5000 m", true],
    ["5 km", "5 miles", false],
    ["44.7 %", "45 percent", true],
    ["8,849 m", "8.85 km", true],
    ["36.0", "36", true],
    ["11", "12", false],
    ["1912", "1913", false],
    ["5 %", "5 kg", false],
    ["5 %", "5", true],
    ["2.5 million", "2,500,000", true],
    ["370,000", "3.7 million", false],
  ])("%s and %s are the same: %p", (a, b, expected) => {
    const [x, y] = [first(a), first(b)];
    expect(x && y && isSameNumber(x, y)).toBe(expected);
    expect(x && y && isSameNumber(y, x)).toBe(expected);
  });
});

describe("dates", () => {
  const date = (text: string) => {
    const [{ year, month, day } = { year: null, month: null, day: null }] = readDates(text);
    return [year, month, day];
  };
  test.each([
    ["12 March 1990", [1990, 3, 12]],
    ["March 12th, 1990", [1990, 3, 12]],
    ["the 12th of March", [null, 3, 12]],
    ["Sept 1972", [1972, 9, null]],
    ["1990-03-12", [1990, 3, 12]],
    ["25/12/1999", [1999, 12, 25]],
    ["03/04/1999", [1999, null, null]],
    ["in 1492", [1492, null, null]],
    ["2020-03", [2020, 3, null]],
    ["03/2020", [2020, 3, null]],
    ["the season 2003-04", [2003, null, null]],
    ["from 1914-18", [1914, null, null]],
    ["nineteen sixty-nine", [1969, null, null]],
    ["you may 3 march", [null, null, null]],
  ])("the date in %s is read", (text, expected) => expect(date(text)).toEqual(expected));

  test.each([
    ["1912", "April 15, 1912", "same"],
    ["April 15, 1912", "1912", "coarser"],
    ["April 15, 1912", "April 14, 1912", "conflict"],
    ["1994", "the 1990s", "coarser"],
    ["the 1990s", "1994", "same"],
    ["1912", "in May", "unrelated"],
  ])("for %s, %s is %s", (expected, given, verdict) => {
    const [a, b] = [readDates(expected)[0], readDates(given)[0]] as const;
    expect(a && b && String(compareDates(a, b))).toBe(verdict);
  });
});

describe("times of day", () => {
  test.each([
    ["at 5:30 p.m. sharp", ["5:30 p.m.", 1050, false]],
    ["at 5:30", ["5:30", 330, true]],
    ["from 17.30 Uhr on", ["17.30 Uhr", 1050, false]],
    ["2021-01-05T17:30:00+02:00", ["17:30:00+02:00", 1050, false]],
    ["half past five", ["half past five", 330, true]],
    ["the ratio is 1:2, the price $5:30, five to six people", [undefined, undefined, undefined]],
  ])("the times in %s are read", (text, expected) => {
    const [time] = readTimes(text);
    expect([time && text.slice(time.start, time.end), time?.minutes, time?.isHalfDayUnknown]).toEqual(expected);
  });

  test("the same moment in two zones is the same time, in either order", () => {
    const [a, b, c] = ["2021-01-05T17:30+02:00", "2021-01-05T15:30Z", "17:30"].map((text) => readTimes(text)[0]);
    const pairs = [
      [a, b],
      [b, a],
      [a, c],
      [b, c],
    ] as const;
    expect(pairs.map(([x, y]) => x && y && isSameTime(x, y))).toEqual([true, true, true, false]);
  });
});

describe("sentences", () => {
  test("end where a reader would expect it", () => {
    const text =
      "Dr. Smith met J. K. Rowling in the U.S. in 1999. Then E.  L.  James came.\n\n1. First item\n- **bold** No. 5 left. He said “yes.” Why? 日本語です。はい。";
    expect(readSentences(text).map((sentence) => sentence.text)).toEqual([
      "Dr. Smith met J. K. Rowling in the U.S. in 1999.",
      "Then E.  L.  James came.",
      "First item",
      "**bold** No. 5 left.",
      "He said “yes.”",
      "Why?",
      "日本語です。",
      "はい。",
    ]);
  });

  test.each([
    ["Am 3. Oktober 1990 galt er. Dann nicht.", 2],
    ["Er wurde am 3. 10. 1990 unterzeichnet. Er gilt.", 2],
    ["Der 1. FC Köln spielt in der 2. Bundesliga.", 1],
    ["Im 19. Jahrhundert, vgl. Abs. 3 Nr. 5 S. 2, war es so.", 1],
    ["Das sind z. B. Porto, u. a. Versand. Mehr nicht.", 2],
    ["Termin: 3. März 2020. Ort: Bonn.", 2],
    ["Das 21. Jahrhundert begann 2001. Es dauert an.", 2],
    ["El art. 5 y la pág. 3. Nada más.", 2],
    ["The team was ranked 3. The others left.", 2],
    ["It costs 5. May I ask?", 2],
    ["The answer is 42. It is known.", 2],
  ])("%p has %d sentences", (text, count) => expect(readSentences(text)).toHaveLength(count));

  test("offsets match the sentence and no letter is lost, in any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.lorem({ mode: "sentences" })), (text) => {
        const sentences = readSentences(text);
        for (const { text: part, start, end } of sentences) expect(text.slice(start, end)).toBe(part);
      }),
    );
  });
});

describe("overlap", () => {
  const [a, b] = [
    ["the", "cat", "sat", "sat"],
    ["the", "cat", "ran"],
  ] as const;
  test("equals the value computed by hand", () => {
    expect(recall(a, b)).toBe(0.5);
    expect(tokenF1(a, b)).toBeCloseTo(4 / 7, 12);
    expect(lcsLength(a, b)).toBe(2);
    expect(rougeL(a, b)).toBeCloseTo(4 / 7, 12);
    expect(runsOf(b, 2)).toEqual(["the cat", "cat ran"]);
    expect([indexOfRun(a, ["cat", "sat"]), indexOfRun(a, ["sat", "cat"]), indexOfRun(a, [])]).toEqual([1, -1, -1]);
  });

  test("is 0 if a list is empty", () => {
    expect([recall([], b), tokenF1([], []), rougeL([], b)]).toEqual([0, 0, 0]);
  });
});
