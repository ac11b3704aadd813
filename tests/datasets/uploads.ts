import type { UploadOptions } from "../../gateway/datasets/reading/read-upload";

/** The expected result of an upload: a number of samples, or an error kind and part of its message. */
export type Ending = { samples: number; rows: number } | { kind: string; says: string };

export interface Upload {
  /** File name as sent. */
  name: string;
  bytes(): AsyncIterable<Uint8Array>;
  options?: Pick<UploadOptions, "mapping" | "schema">;
  ending: Ending;
}

const PIECE_BYTES = 65_536;
const MIB = 1_048_576;
const NUMBER = "#######";

interface Repeated {
  head?: string;
  /** Repeated `times` times. `#######` is replaced with the number of the repetition, from 0. */
  text: string;
  times: number;
  tail?: string;
}

/** Writes all bytes into one reused buffer, because the source's garbage would be measured too. */
async function* repeated({ head = "", text, times, tail = "" }: Repeated): AsyncGenerator<Uint8Array> {
  const one = Buffer.from(text);
  const perPiece = Math.max(1, Math.floor(PIECE_BYTES / one.length));
  const piece = Buffer.concat(new Array(perPiece).fill(one));
  const numberAt = one.indexOf(NUMBER);
  yield Buffer.from(head);
  for (let done = 0; done < times; done += perPiece) {
    const count = Math.min(perPiece, times - done);
    for (let i = 0; numberAt >= 0 && i < count; i++) {
      piece.write(String(done + i).padStart(NUMBER.length, "0"), i * one.length + numberAt, "latin1");
    }
    yield piece.subarray(0, count * one.length);
  }
  yield Buffer.from(tail);
}

const paragraph =
  "The answer is as long as most are, with some words that mean little, a comma and a few numbers: 7919, 104729. ";
const jsonRow = `{"question": "${NUMBER} ${paragraph.repeat(3)}", "answer": "${paragraph}", "topic": "x"}`;
const all = { samples: 100_000, rows: 100_000 };
/** Expected for a file with a single row, which is too long. */
const oneRow: Ending = { samples: 0, rows: 1 };
const tooLarge: Ending = { kind: "payload_too_large", says: "64 MiB" };
const text = (name: string, source: Repeated, ending: Ending, options?: Upload["options"]): Upload => ({
  name,
  bytes: () => repeated(source),
  ending,
  options,
});

/** Uploads by name. The limits are the defaults: 64 MiB, 100,000 rows, 1 MiB per row, 256 columns. */
export const UPLOADS: Readonly<Record<string, Upload>> = {
  "100,000 rows of JSONL": text("a.jsonl", { text: `${jsonRow}\n`, times: 100_000 }, all),
  "100,000 rows of a JSON list": text(
    "a.json",
    { head: '{"version": 1, "data": [null', text: `,\n${jsonRow}`, times: 99_999, tail: "]}" },
    { samples: 99_999, rows: 100_000 },
  ),
  "100,000 rows of CSV": text(
    "a.csv",
    {
      head: "question,answer,context,topic\r\n",
      text: `"${NUMBER} ${paragraph.repeat(2)}",yes,"[""${paragraph}"",""two\nlines""]",x\r\n`,
      times: 100_000,
    },
    all,
  ),
  "100,000 tiny rows": text("a.jsonl", { text: `{"input":"${NUMBER}"}\n`, times: 100_000 }, all),
  "100,000 rows that are all wrong": text(
    "a.jsonl",
    { text: `{"question": "${paragraph}" oops}\n`, times: 100_000 },
    { samples: 0, rows: 100_000 },
  ),
  "rows of 1 MiB": text(
    "a.jsonl",
    { text: `{"question":"${NUMBER}${"x".repeat(999_900)}"}\n`, times: 60 },
    { samples: 60, rows: 60 },
  ),
  "rows of 1 MiB of emoji": text(
    "a.jsonl",
    { text: `{"question":"${NUMBER}${"😀".repeat(250_000)}"}\n`, times: 60 },
    { samples: 60, rows: 60 },
  ),
  "10 GB": text("a.jsonl", { text: `{"question":"${NUMBER}${"x".repeat(1000)}"}\n`, times: 10_000_000 }, tooLarge),
  "a line of 500 MB in JSONL": text("a.jsonl", { head: '{"question":"', text: "x", times: 500_000_000 }, tooLarge),
  "a row of 500 MB in JSON": text("a.json", { head: '[{"question":"', text: "x", times: 500_000_000 }, tooLarge),
  "a cell of 500 MB in CSV": text("a.csv", { head: 'question\n"', text: "x", times: 500_000_000 }, tooLarge),
  "10 million empty lines of JSONL": text(
    "a.jsonl",
    { text: "\n", times: 10_000_000 },
    { kind: "payload_too_large", says: "more than 100,000 lines are empty" },
  ),
  "10 million empty lines of CSV": text(
    "a.csv",
    { head: "question\r\n", text: "\r\n", times: 10_000_000 },
    { kind: "payload_too_large", says: "more than 100,000 lines are empty" },
  ),
  "10,000 levels in JSON": text("a.json", { text: "[", times: 10_000 }, oneRow),
  "10,000 levels in JSONL": text(
    "a.jsonl",
    { head: '{"question":', text: "[", times: 10_000, tail: "1" },
    { samples: 0, rows: 1 },
  ),
  "60 MiB of commas": text("a.csv", { head: "question\n", text: ",", times: 60 * MIB }, oneRow),
  "a million columns": text(
    "a.csv",
    { text: "c,", times: 500_000, tail: "\nx\n" },
    { kind: "payload_too_large", says: "the limit is 256" },
  ),
  "a million names": text(
    "a.jsonl",
    { text: `{"name${NUMBER}":1}\n`, times: 1_000_000 },
    { kind: "payload_too_large", says: "Line 257" },
  ),
  "a row of 60 million empty objects": text(
    "a.json",
    { head: '[{"question":[{}', text: ",{}", times: 20 * MIB, tail: "]}]" },
    oneRow,
  ),
  "a CSV whose every line opens a quote": text(
    "a.csv",
    { head: "a,b\n", text: `x","${"y".repeat(500)}\n`, times: 100_000 },
    { samples: 0, rows: 1 },
  ),
  "a CSV whose every row breaks its quotes": text(
    "a.csv",
    { head: "question,answer\n", text: `"bad "${paragraph}" x",y\n${NUMBER},z\n`, times: 40_000 },
    { samples: 40_000, rows: 80_000 },
  ),
  "a JSON list whose every row misses its end": text(
    "a.json",
    { head: '[{"question":"x"}', text: `,\n{"question":"${NUMBER} ${paragraph}"`, times: 40_000, tail: "]" },
    { samples: 1, rows: 40_002 },
  ),
  "60 MiB of Latin-1": {
    name: "a.csv",
    async *bytes() {
      yield Buffer.from("question\n");
      for (let i = 0; i < 9600; i++) yield Buffer.from(`caf\xe9 ${i} ${"\xe4\xf6\xfc ".repeat(1000)}\n`, "latin1");
    },
    ending: { samples: 0, rows: 9600 },
  },
  "60 MiB of NUL": text("a.csv", { head: "question\nx\n", text: "\0", times: 60 * MIB }, { samples: 1, rows: 1 }),
  "a schema with a pattern that backtracks": text(
    "a.jsonl",
    { text: `{"input":"${NUMBER}${"a".repeat(100_000)}!"}\n`, times: 100 },
    { samples: 0, rows: 100 },
    { schema: { properties: { input: { pattern: "^\\d+(a+)+$" } } } },
  ),
};
