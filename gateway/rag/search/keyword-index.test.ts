import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { seededRandom } from "../../../tests/random";
import { type FieldCounts, KeywordIndex } from "./keyword-index";
import { Slots } from "./slots";

const indexOf = (texts: string[], fieldCounts?: FieldCounts) => {
  const slots = new Slots();
  const index = new KeywordIndex(slots, fieldCounts);
  const add = (text: string) => {
    const slot = slots.take();
    index.add(slot, { text, title: "", heading: "" });
    return slot;
  };
  const remove = (slot: number) => {
    slots.remove(slot);
    index.remove(slot);
  };
  for (const text of texts) add(text);
  return { slots, index, add, remove, scores: (query: string) => [...index.scores(query, slots.alive)] };
};

test("scores are BM25 with k1 = 0.9 and b = 0.4", () => {
  const { scores } = indexOf(["red fox", "red red dog barks", "cat"]);
  // 3 chunks, 2 of them with "red"; lengths 2, 4, 1, on average 7/3.
  const idf = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5));
  const score = (count: number, length: number) =>
    (idf * count * 1.9) / (count + 0.9 * (0.6 + (0.4 * length) / (7 / 3)));
  const [first, second, third] = scores("red");
  expect(first).toBeCloseTo(score(1, 2), 5);
  expect(second).toBeCloseTo(score(2, 4), 5);
  expect(third).toBe(0);
});

test("words match by stem, regardless of case and accents", () => {
  const { scores } = indexOf(["The RÉSUMÉS were connected", "nothing here"]);
  expect(scores("connection résumé").map((score) => score > 0)).toEqual([true, false]);
});

test("a word that the question repeats counts twice", () => {
  const { scores } = indexOf(["apple", "pear"]);
  expect(scores("apple apple")[0]).toBeCloseTo(2 * (scores("apple")[0] ?? 0), 5);
});

test("words in the title and heading count as often as configured", () => {
  const slots = new Slots();
  const index = new KeywordIndex(slots, { title: 2, heading: 1 });
  index.add(slots.take(), { text: "alpha beta", title: "gamma", heading: "" });
  index.add(slots.take(), { text: "alpha beta gamma gamma", title: "", heading: "" });
  const [byTitle, byText] = index.scores("gamma", slots.alive);
  expect(byTitle).toBeCloseTo(byText ?? 0, 6);
});

test("slots that are not allowed have no score", () => {
  const { index } = indexOf(["red fox", "red dog", "red cat"]);
  expect([...index.scores("red", Uint8Array.of(0, 1, 0))].map((score) => score > 0)).toEqual([false, true, false]);
});

test("an empty index and a question without words find nothing", () => {
  expect(indexOf([]).scores("red")).toEqual([]);
  expect(indexOf(["red"]).scores("… ?!")).toEqual([0]);
});

test("after adding and removing chunks in any order, scores are the same as in a new index", () => {
  const random = seededRandom(7);
  const words = "red fox jumps over lazy dog while cat sleeps near warm fire".split(" ");
  const randomText = () =>
    Array.from({ length: 1 + Math.floor(random() * 12) }, () => words[Math.floor(random() ** 2 * words.length)]).join(
      " ",
    );
  const { index, slots, add, remove, scores } = indexOf([]);
  const kept = new Map<number, string>();
  for (let step = 0; step < 600; step++) {
    const [slot] = [...kept.keys()].slice(Math.floor(random() * kept.size));
    if (slot !== undefined && random() < 0.45) {
      remove(slot);
      kept.delete(slot);
    } else {
      const text = randomText();
      kept.set(add(text), text);
    }
    if (step % 50 === 49) {
      index.purge();
      slots.reuse();
    }
    if (step % 20 !== 0) continue;
    const query = randomText();
    const expected = indexOf([...kept.values()]).scores(query);
    const actual = scores(query);
    expect([...kept.keys()].map((keptSlot) => actual[keptSlot]?.toFixed(5))).toEqual(
      expected.map((score) => score.toFixed(5)),
    );
    expect(actual.filter((score) => score > 0).length).toBe(expected.filter((score) => score > 0).length);
  }
});

test("finds the chunks that SQLite's FTS5 finds with its Porter tokenizer", () => {
  const texts = [
    "Employees are entitled to thirty days of annual leave.",
    "Leaving early requires approval by the manager; approvals are recorded.",
    "The cafés in the building close at 5 pm.",
    "Recording of meetings is not allowed without consent",
    "Build instructions: run make, then install the binaries.",
  ];
  const database = new Database(":memory:");
  database.run("CREATE VIRTUAL TABLE chunks USING fts5(text, tokenize = 'porter unicode61')");
  for (const text of texts) database.run("INSERT INTO chunks (text) VALUES (?)", [text]);
  const { scores } = indexOf(texts);
  for (const words of [
    ["leave"],
    ["approve"],
    ["cafe"],
    ["records", "building"],
    ["installation"],
    ["employee", "the"],
  ]) {
    const found = database
      .query<{ rowid: number }, string>("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rowid")
      .all(words.join(" OR "));
    const ours = scores(words.join(" ")).flatMap((score, slot) => (score > 0 ? [slot + 1] : []));
    expect(ours).toEqual(found.map(({ rowid }) => rowid));
  }
  database.close();
});

// 3 chunks; "red" is in 2 of them, "fox" in 1, "zebra" in none.
const rarity = (frequency: number) => Math.log(1 + (3 - frequency + 0.5) / (frequency + 0.5));

test("coverage is the largest fraction of the question's words in one chunk, weighted by rarity", () => {
  const { index } = indexOf(["red fox", "red dog", "cat"]);
  const all = rarity(2) + rarity(1) + rarity(0);
  expect(index.coverage("red foxes zebra", [0, 1])).toBeCloseTo((rarity(2) + rarity(1)) / all, 10);
  expect(index.coverage("red foxes zebra", [1, 2])).toBeCloseTo(rarity(2) / all, 10);
  expect(index.coverage("red foxes zebra", [2])).toBe(0);
});

test("coverage counts a repeated word once, and stop words only if there are no others", () => {
  const { index } = indexOf(["the who sang", "red fox"]);
  expect(index.coverage("What is the red red fox?", [1])).toBe(1);
  expect(index.coverage("the who", [0])).toBe(1);
  expect(index.coverage("the who", [1])).toBe(0);
});

test("coverage is 0 without words, without chunks, and for words of removed chunks", () => {
  const { index, remove } = indexOf(["red fox", "blue whale"]);
  expect([index.coverage("?!", [0]), index.coverage("red", [])]).toEqual([0, 0]);
  remove(0);
  expect(index.coverage("red whale", [1])).toBeLessThan(0.5);
});
