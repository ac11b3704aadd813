import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient } from "@libsql/client";
import { type Stack, startStack } from "./stack";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;
const json = async (response: Response): Promise<Json> => JSON.parse(await response.text());

/** Sends a file as a form, as curl -F does. */
const send = (
  path: string,
  file: string | Uint8Array<ArrayBuffer>,
  fields: Record<string, string> = {},
  key = stack.adminKey,
) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (name !== "filename") form.append(name, value);
  form.append("file", new File([file], fields.filename ?? "samples.csv"));
  return fetch(stack.url + path, { method: "POST", body: form, headers: { authorization: `Bearer ${key}` } });
};
const newName = (): string => `dataset ${crypto.randomUUID()}`;
const create = async (samples: unknown[], name = newName()): Promise<Json> => {
  const response = await stack.call("POST", "/v1/datasets", { body: { name, samples } });
  expect(response.status).toBe(201);
  return (await json(response)).dataset;
};
const samplesOf = async (id: string, query = ""): Promise<Json[]> =>
  (await json(await stack.call("GET", `/v1/datasets/${id}/samples?limit=100${query}`))).data;

/** Number of rows in the upload tables, which must be empty. */
const leftovers = async (): Promise<number> => {
  const client = createClient({ url: `file:${stack.dataDir}/groundwire.db` });
  const { rows } = await client.execute(
    "SELECT (SELECT COUNT(*) FROM uploads) + (SELECT COUNT(*) FROM upload_parts) AS n",
  );
  client.close();
  return Number(rows[0]?.n);
};

/** 1,000 rows, of which lines 101, 301, 501, 701 and 901 are unusable. */
const thousand = (): string =>
  [
    "id,question,answer,context",
    ...Array.from({ length: 1000 }, (_, index) => {
      const n = index + 1;
      if (n % 200 === 100) return n % 400 === 100 ? `k${n},,Paris,Paris is a city.` : `k${n},What is ${n}?,"${n}"`;
      return `k${n},What is ${n}?,"${n}, that is ${n}",The number is ${n}.`;
    }),
  ].join("\n");

describe("a CSV of 1,000 rows with five broken ones", () => {
  test("is rejected with line and column of each error, and leaves nothing behind", async () => {
    const name = newName();
    const response = await send("/v1/datasets", thousand(), { name });
    const { error } = await json(response);
    expect([response.status, error.code]).toEqual([422, "dataset_invalid"]);
    expect(error.message).toStartWith("5 of 1000 rows can't be used, so nothing was stored. Line 101");
    expect(error.details.map(({ line }: Json) => line)).toEqual([101, 301, 501, 701, 901]);
    expect(error.details[0]).toEqual({ line: 101, path: "question", message: expect.stringContaining("empty") });
    expect((await stack.call("GET", `/v1/datasets/${encodeURIComponent(name)}`)).status).toBe(404);
    expect(await leftovers()).toBe(0);
  });

  test("can be checked without storing anything", async () => {
    const name = newName();
    const response = await send("/v1/datasets", thousand(), { name, dry_run: "true" });
    const { dataset, report } = await json(response);
    expect([response.status, dataset]).toEqual([200, null]);
    expect([report.rows, report.accepted, report.rejected, report.format]).toEqual([1000, 995, 5, "csv"]);
    expect(report.mapping).toEqual({ id: "key", question: "input", answer: "references", context: "contexts" });
    expect(report.preview).toHaveLength(20);
    expect((await stack.call("GET", `/v1/datasets/${encodeURIComponent(name)}`)).status).toBe(404);
    expect(await leftovers()).toBe(0);
  });

  test("is stored without them on request, and found by name", async () => {
    const name = newName();
    const response = await send("/v1/datasets", thousand(), { name, on_error: "skip", description: "Numbers" });
    const { dataset, report } = await json(response);
    expect([response.status, dataset.latest.samples, report.errors.length]).toEqual([201, 995, 5]);
    const found = await json(await stack.call("GET", `/v1/datasets/${encodeURIComponent(name)}`));
    expect(found).toEqual(dataset);
    const [first] = await samplesOf(dataset.id);
    expect(first).toMatchObject({
      key: "k1",
      input: "What is 1?",
      references: ["1, that is 1"],
      contexts: ["The number is 1."],
      output: null,
    });
    expect(await leftovers()).toBe(0);
  });
});

test("a dry run of a revision reports its changes and stores nothing", async () => {
  const { id } = await create(Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, input: `Question ${n}?` })));
  const file = ["key,input", "k0,Question 0?", "k1,Other?", ...Array.from({ length: 7 }, (_, n) => `n${n},New ${n}?`)];
  const look = async (text: string, mode: string) => {
    const fields = { dry_run: "true", on_error: "skip", mode };
    const { dataset, report } = await json(await send(`/v1/datasets/${id}/revisions`, text, fields));
    expect(dataset).toBeNull();
    return report.changes;
  };
  const changes = {
    revision: 1,
    added: 7,
    changed: 1,
    unchanged: 1,
    missing: 18,
    first: {
      added: [0, 1, 2, 3, 4].map((n) => ({ key: `n${n}`, input: `New ${n}?` })),
      changed: [{ key: "k1", input: "Other?" }],
      missing: [10, 11, 12, 13, 14].map((n) => ({ key: `k${n}`, input: `Question ${n}?` })),
    },
  };
  expect(await look(file.join("\n"), "replace")).toEqual(changes);
  expect(await look(file.join("\n"), "merge")).toEqual(changes);
  const same = ["key,input", ...Array.from({ length: 20 }, (_, n) => `k${n},Question ${n}?`)].join("\n");
  const none = { added: 0, changed: 0, unchanged: 20, missing: 0, first: { added: [], changed: [], missing: [] } };
  expect(await look(same, "replace")).toEqual({ revision: 1, ...none });
  expect((await json(await stack.call("GET", `/v1/datasets/${id}`))).latest).toMatchObject({
    revision: 1,
    samples: 20,
  });
});

describe("samples in a JSON body", () => {
  test("are stored in order, with keys derived from their content if they have none", async () => {
    const { id } = await create([
      { key: "b", input: "Two?" },
      { input: "One?", tags: ["x"] },
    ]);
    const samples = await samplesOf(id);
    expect(samples.map(({ input }) => input)).toEqual(["Two?", "One?"]);
    expect([samples[0].key, samples[1].key]).toEqual(["b", samples[1].hash.slice(0, 32)]);
  });

  test("that are invalid are reported by their number", async () => {
    const samples = [{ input: "One?" }, { references: ["2"] }, "three"];
    const response = await stack.call("POST", "/v1/datasets", { body: { name: newName(), samples } });
    const { error } = await json(response);
    expect([response.status, error.details.map(({ line }: Json) => line)]).toEqual([422, [2, 3]]);
  });

  test.each([
    ["a field that samples don't have", { samples: [{ input: "One?", refrences: ["1"] }] }, "samples.0.refrences"],
    ["a parameter that the route doesn't have", { samples: [{ input: "One?" }], mapping: {} }, "mapping"],
    ["no samples", { samples: [] }, "samples"],
    ["a name that looks like an id", { name: "ds_1", samples: [{ input: "One?" }] }, "name"],
    ["a name that can't be shown", { name: "a\nb", samples: [{ input: "One?" }] }, "name"],
    ["an invalid schema", { schema: { type: 7 }, samples: [{ input: "One?" }] }, "schema"],
  ])("with %s are rejected, and the error names it", async (_, body, param) => {
    const response = await stack.call("POST", "/v1/datasets", { body: { name: newName(), ...body } });
    const { error } = await json(response);
    expect([response.status, error.code, error.param]).toEqual([400, "invalid_request", param]);
    expect(await leftovers()).toBe(0);
  });
});

describe("revisions", () => {
  const one = { key: "1", input: "One?", references: ["1"] };
  const two = { key: "2", input: "Two?", references: ["2"] };
  const three = { key: "3", input: "Three?", references: ["3"] };
  const revise = async (id: string, body: Json) => {
    const response = await stack.call("POST", `/v1/datasets/${id}/revisions`, { body });
    const { dataset } = await json(response);
    const { revision, samples, added, changed, removed } = dataset.latest;
    return { status: response.status, revision, samples, added, changed, removed };
  };

  test("report added, changed and removed keys, and don't change the older revision", async () => {
    const { id } = await create([one, two]);
    const changed = { ...two, references: ["two"] };
    expect(await revise(id, { samples: [changed, three] })).toEqual({
      status: 201,
      revision: 2,
      samples: 2,
      added: 1,
      changed: 1,
      removed: 1,
    });
    expect((await samplesOf(id, "&revision=1")).map(({ key }) => key)).toEqual(["1", "2"]);
    expect((await samplesOf(id)).map(({ key, references }) => [key, references[0]])).toEqual([
      ["2", "two"],
      ["3", "3"],
    ]);
    const { data } = await json(await stack.call("GET", `/v1/datasets/${id}/revisions`));
    expect(data.map(({ revision }: Json) => revision)).toEqual([2, 1]);
  });

  test("that merge remove no samples", async () => {
    const { id } = await create([one, two]);
    const merged = await revise(id, { mode: "merge", samples: [{ ...one, references: ["one"] }, three] });
    expect(merged).toEqual({ status: 201, revision: 2, samples: 3, added: 1, changed: 1, removed: 0 });
    expect((await samplesOf(id)).map(({ key }) => key)).toEqual(["1", "3", "2"]);
  });

  test("that merge contain each content once, samples keep their keys, and an export has the same hash", async () => {
    const { id } = await create([one, two]);
    const merge = async (samples: unknown[]) => {
      const response = await stack.call("POST", `/v1/datasets/${id}/revisions`, { body: { mode: "merge", samples } });
      return json(response);
    };
    const { report, dataset } = await merge([three, { ...one, key: "one again" }, { ...two, references: ["two"] }]);
    expect(report).toMatchObject({ rows: 3, accepted: 2, duplicates: { exact: 1 } });
    expect((await samplesOf(id)).map(({ key }) => key)).toEqual(["3", "2", "1"]);
    const text = await (await stack.call("GET", `/v1/datasets/${id}/export?format=jsonl`)).text();
    const again = await json(await send("/v1/datasets", text, { name: newName(), filename: "x.jsonl" }));
    expect([again.dataset.latest.hash, again.dataset.latest.samples]).toEqual([dataset.latest.hash, 3]);
    // A key is removed if its content now belongs to another key. Content that becomes free may move to another key.
    expect((await merge([{ ...three, key: "2" }])).dataset.latest).toMatchObject({ samples: 2, removed: 1 });
    const swapped = await merge([
      { ...one, key: "3" },
      { ...three, key: "1" },
    ]);
    expect(swapped.dataset.latest).toMatchObject({ samples: 2, changed: 2, removed: 0 });
  });

  test("without changes are not created", async () => {
    const { id } = await create([one, two]);
    expect((await revise(id, { samples: [two, one] })).status).toBe(200);
    expect((await revise(id, { mode: "merge", samples: [one] })).revision).toBe(1);
  });

  test("with the same samples have the same hash in every dataset", async () => {
    const [first, second] = [await create([one, two]), await create([two, one])];
    expect(second.latest.hash).toBe(first.latest.hash);
    expect((await create([one])).latest.hash).not.toBe(first.latest.hash);
  });

  test("of a deleted dataset are not found", async () => {
    const { id } = await create([one]);
    expect((await stack.call("DELETE", `/v1/datasets/${id}`)).status).toBe(204);
    const response = await stack.call("POST", `/v1/datasets/${id}/revisions`, { body: { samples: [two] } });
    expect(response.status).toBe(404);
  });
});

test("a revision keeps the report of its upload, without samples", async () => {
  const { dataset } = await json(await send("/v1/datasets", thousand(), { name: newName(), on_error: "skip" }));
  const detail = await json(await stack.call("GET", `/v1/datasets/${dataset.id}/revisions/1`));
  expect(detail).toMatchObject({ ...dataset.latest, report: { rows: 1000, accepted: 995, rejected: 5 } });
  expect([detail.report.errors.length, "preview" in detail.report]).toEqual([5, false]);
  expect((await stack.call("GET", `/v1/datasets/${dataset.id}/revisions/2`)).status).toBe(404);
  expect((await stack.call("GET", `/v1/datasets/${dataset.id}/revisions/abc`)).status).toBe(400);
});

test("the 200 most frequent tags are listed, with the number of all tags", async () => {
  const samples = Array.from({ length: 300 }, (_, n) => ({ input: `Question ${n}?`, tags: ["all", `tag ${n}`] }));
  const { tags, tag_count } = await create(samples);
  expect([tags.length, tags[0], tag_count]).toEqual([200, "all", 301]);
});

describe("a download", () => {
  const awkward = [
    { key: "formula", input: "=1+1", references: ["+2", "@x"], tags: ["a", "b"], metadata: { n: 1.5, ok: true } },
    { key: "quotes", input: 'He said "no",\nthen left.', contexts: ["One.", ""], group: "g" },
    { key: "chat", input: [{ role: "user", content: "Hé 👋" }], output: "" },
  ];

  test.each(["jsonl", "csv"])(
    "as %s is the same dataset with the same hash when it is uploaded again",
    async (format) => {
      const dataset = await create(awkward);
      const response = await stack.call("GET", `/v1/datasets/${dataset.id}/export?format=${format}`);
      expect(response.headers.get("content-disposition")).toContain(`${dataset.id}-r1.${format}`);
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      const text = await response.text();
      const again = await json(await send("/v1/datasets", text, { name: newName(), filename: `x.${format}` }));
      expect(again.dataset?.latest.hash).toBe(dataset.latest.hash);
    },
  );

  test("P2: as CSV contains no cell that a spreadsheet would run", async () => {
    const { id } = await create(awkward);
    const text = await (await stack.call("GET", `/v1/datasets/${id}/export?format=csv`)).text();
    expect(text).toContain("'=1+1");
    for (const cell of text.split(/[,\n]/)) expect(cell.replace(/^"/, "")).not.toMatch(/^[=+@\t]/);
  });
});

describe("the mapping of columns to fields", () => {
  test("is guessed from the column names, and can be set", async () => {
    const csv = "q,a,note\nWhat is 1?,1,easy\n";
    const mapping = JSON.stringify({ q: "input", a: "references", note: null });
    const { dataset } = await json(await send("/v1/datasets", csv, { name: newName(), mapping }));
    expect(await samplesOf(dataset.id)).toMatchObject([{ input: "What is 1?", references: ["1"], metadata: {} }]);
  });

  test.each([
    ["invalid JSON", "{", "mapping"],
    ["a field that samples don't have", '{"q":"inptu"}', "mapping"],
    ["a column that the file doesn't have", '{"x":"input"}', "mapping"],
  ])("is rejected if it has %s", async (_, mapping, param) => {
    const response = await send("/v1/datasets", "q\nWhat?\n", { name: newName(), mapping });
    expect([response.status, (await json(response)).error.param]).toEqual([400, param]);
    expect(await leftovers()).toBe(0);
  });
});

test("every sample of a new revision is checked against the dataset's schema, and errors name line and field", async () => {
  const schema = { type: "object", required: ["references"], properties: { references: { minItems: 1 } } };
  const body = { name: newName(), schema, samples: [{ input: "One?", references: ["1"] }] };
  const { dataset } = await json(await stack.call("POST", "/v1/datasets", { body }));
  const lines = '{"input":"Two?","references":["2"]}\n{"input":"Three?"}\n';
  const response = await send(`/v1/datasets/${dataset.id}/revisions`, lines, { filename: "more.jsonl" });
  const { error } = await json(response);
  expect([response.status, error.details]).toEqual([
    422,
    [{ line: 2, path: "references", message: expect.stringContaining("references") }],
  ]);
});

describe("lists", () => {
  test("can be paged and searched by words and tags", async () => {
    const samples = Array.from({ length: 25 }, (_, n) => ({
      key: `k${n}`,
      input: n % 5 === 0 ? `Where is café "${n}"?` : `What is ${n}?`,
      tags: n % 2 === 0 ? ["even"] : [],
    }));
    const { id } = await create(samples);
    const keys: string[] = [];
    for (let after = ""; ; ) {
      const page = await json(await stack.call("GET", `/v1/datasets/${id}/samples?limit=10${after}`));
      keys.push(...page.data.map(({ key }: Json) => key));
      if (!page.has_more) break;
      after = `&after=${page.next_cursor}`;
    }
    expect(keys).toEqual(samples.map(({ key }) => key));
    expect((await samplesOf(id, "&tag=even")).length).toBe(13);
    expect((await samplesOf(id, `&search=${encodeURIComponent('café "5"')}`)).map(({ key }) => key)).toEqual(["k5"]);
    const one = await json(await stack.call("GET", `/v1/datasets/${id}/samples/k7`));
    expect(one.input).toBe("What is 7?");
  });

  test("of datasets can be searched by name, and the name of a deleted dataset can be reused", async () => {
    const name = newName();
    const { id } = await create([{ input: "One?" }], name);
    const listed = await json(await stack.call("GET", `/v1/datasets?search=${name.slice(8, 20)}`));
    expect(listed.data.map((dataset: Json) => dataset.id)).toEqual([id]);
    const taken = await stack.call("POST", "/v1/datasets", { body: { name, samples: [{ input: "Two?" }] } });
    expect([taken.status, (await json(taken)).error.param]).toEqual([409, "name"]);
    await stack.call("DELETE", `/v1/datasets/${id}`);
    expect((await stack.call("GET", `/v1/datasets/${id}`)).status).toBe(404);
    await create([{ input: "Two?" }], name);
  });
});

test("a dataset can be renamed, and its baseline must be one of its runs", async () => {
  const { id } = await create([{ input: "One?" }]);
  const name = newName();
  const renamed = await json(await stack.call("PATCH", `/v1/datasets/${id}`, { body: { name, description: "New" } }));
  expect([renamed.name, renamed.description]).toEqual([name, "New"]);
  const body = { baseline_run_id: `run_${"0".repeat(32)}` };
  expect((await stack.call("PATCH", `/v1/datasets/${id}`, { body })).status).toBe(400);
});

describe("P1: an invalid dataset gets 413 or 422 with the position, and nothing remains", () => {
  const utf16 = (text: string): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(2 + 2 * text.length);
    bytes.set([0xff, 0xfe]);
    for (const [i, character] of [...text].entries())
      bytes.set([character.charCodeAt(0) & 255, character.charCodeAt(0) >> 8], 2 + 2 * i);
    return bytes;
  };
  test.each<[string, string | Uint8Array<ArrayBuffer>, string, number, RegExp]>([
    ["nothing", "", "x.csv", 422, /no rows|empty/],
    ["only a header", "input,references\n", "x.csv", 422, /no rows/],
    ["a ragged row", "input,references\nOne?,1\nTwo?,2,3\n", "x.csv", 422, /[Ll]ine 3/],
    ["an open quote", 'input\n"One?\nTwo?\n', "x.csv", 422, /[Ll]ine 2/],
    ["NUL", "input\nO\0ne?\n", "x.csv", 422, /NUL/],
    ["invalid UTF-8", new Uint8Array([...Buffer.from("input\n"), 0xc3, 0x28, 10]), "x.csv", 422, /UTF-8/],
    [
      "deep JSON",
      `{"input":"One?","metadata":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}\n`,
      "x.jsonl",
      422,
      /[Ll]ine 1/,
    ],
    ["a name that reaches an object's own", '{"input":"One?","__proto__":{"x":1}}\n', "x.jsonl", 422, /__proto__/],
    ["broken JSON", '{"input":"One?"}\n{"input":"Two?"\n', "x.jsonl", 422, /[Ll]ine 2/],
    ["duplicate keys", '{"key":"a","input":"One?"}\n{"key":"a","input":"Two?"}\n', "x.jsonl", 422, /[Ll]ine 2/],
    ["a zip in disguise", new Uint8Array([0x50, 0x4b, 3, 4, ...Buffer.alloc(100)]), "x.csv", 422, /zip|ZIP/],
    [
      "a broken Parquet file",
      new Uint8Array([...Buffer.from("PAR1"), ...Buffer.alloc(64), ...Buffer.from("PAR1")]),
      "x.parquet",
      422,
      /Parquet/i,
    ],
    ["a row of 2 MiB", `{"input":"${"x".repeat(2 * 1024 * 1024)}"}\n`, "x.jsonl", 422, /[Ll]ine 1/],
    ["no column for the input", "q1,a1\nOne?,1\n", "x.csv", 422, /no column has the input.*"q1", "a1"/],
    ["a PNG", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0]), "x.csv", 422, /PNG image/],
  ])("%s", async (_, file, filename, status, message) => {
    const name = newName();
    const response = await send("/v1/datasets", file, { name, filename });
    const { error } = await json(response);
    expect([response.status, `${error.message} ${JSON.stringify(error.details)}`]).toEqual([
      status,
      expect.stringMatching(message),
    ]);
    expect((await stack.call("GET", `/v1/datasets/${encodeURIComponent(name)}`)).status).toBe(404);
    expect(await leftovers()).toBe(0);
  });

  test("UTF-16 is read, and the report mentions it", async () => {
    const { dataset, report } = await json(await send("/v1/datasets", utf16("input\nOne?\n"), { name: newName() }));
    expect((await samplesOf(dataset.id))[0].input).toBe("One?");
    expect(report.warnings).toMatchObject([{ line: null, message: expect.stringContaining("UTF-16") }]);
  });

  test("numbers of a JSON body keep their digits", async () => {
    const samples = '[{"key":"k","input":"q","metadata":{"post":1234567890123456789,"price":1.50}}]';
    const response = await stack.call("POST", "/v1/datasets", {
      body: `{"name":"${newName()}","schema":{"maxProperties":1e2},"samples":${samples}}`,
    });
    const { dataset } = await json(response);
    expect((await samplesOf(dataset.id))[0].metadata).toEqual({ post: "1234567890123456789", price: 1.5 });
  });

  test("a byte order mark is not part of the first column's name", async () => {
    const { dataset } = await json(await send("/v1/datasets", "\ufeffinput\nOne?\n", { name: newName() }));
    expect((await samplesOf(dataset.id))[0].input).toBe("One?");
  });
});

describe("P3: file names", () => {
  test.each([
    ["../../etc/passwd", "passwd"],
    ["a\\b\\c.csv", "c.csv"],
    ["x\u202efdp.csv", "xfdp.csv"],
    [`${"x".repeat(4000)}.csv`, "x".repeat(200)],
    ['quo"te.csv', "quote.csv"],
  ])("%j is shown as %j", async (filename, shown) => {
    const boundary = "----boundary";
    const part = (head: string, body: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
    const named = filename.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
    const body = `${part('name="name"', newName())}${part(`name="file"; filename="${named}"`, "input\nOne?\n")}--${boundary}--\r\n`;
    const response = await fetch(`${stack.url}/v1/datasets`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.adminKey}`,
        "content-type": `multipart/form-data; boundary=${boundary}`,
      },
      body,
    });
    const { dataset } = await json(response);
    expect(dataset?.latest.source).toBe(shown);
  });
});

describe("invalid forms", () => {
  const post = (contentType: string, body: string) =>
    fetch(`${stack.url}/v1/datasets`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.adminKey}`, "content-type": contentType },
      body,
    });
  test.each([
    ["without a boundary", "multipart/form-data", "x", /boundary/],
    [
      "cut off",
      "multipart/form-data; boundary=b",
      '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nx',
      /cut off|well-formed/,
    ],
    [
      "without a file",
      "multipart/form-data; boundary=b",
      '--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n',
      /file is missing/,
    ],
  ])("%s", async (_, contentType, body, message) => {
    const response = await post(contentType, body);
    expect([response.status, (await json(response)).error.message]).toEqual([400, expect.stringMatching(message)]);
    expect(await leftovers()).toBe(0);
  });
});

test("a viewer may read, an editor may write", async () => {
  const [viewer, member, editor] = [
    await stack.keyOf("viewer"),
    await stack.keyOf("member"),
    await stack.keyOf("editor"),
  ];
  const { id } = await create([{ input: "One?" }]);
  expect((await stack.call("GET", `/v1/datasets/${id}/samples`, { key: viewer })).status).toBe(200);
  expect((await send("/v1/datasets", "input\nOne?\n", { name: newName() }, member)).status).toBe(403);
  expect((await send("/v1/datasets", "input\nOne?\n", { name: newName() }, editor)).status).toBe(201);
  expect((await stack.call("DELETE", `/v1/datasets/${id}`, { key: viewer })).status).toBe(403);
});
