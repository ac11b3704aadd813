import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { toFile } from "openai";
import type { Batch } from "openai/resources/batches";
import { updateBatch } from "../../db/batches";
import { openDb } from "../../db/client";
import { silentLog } from "../../lib/log";
import { until } from "../until";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let client: OpenAI;

beforeAll(async () => {
  stack = await startStack({ tokens: 4 }, { datasets: { maxUploadBytes: 100_000 } });
  client = clientOf(stack.adminKey);
});
afterAll(() => stack.close());

const clientOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${stack.url}/v1`, maxRetries: 0 });
const CHAT = "/v1/chat/completions" as const;
type Endpoint = typeof CHAT | "/v1/completions" | "/v1/embeddings";

const request = (n: number, body: object = { messages: [{ role: "user", content: `q${n}` }] }, url: Endpoint = CHAT) =>
  JSON.stringify({ custom_id: `r${n}`, method: "POST", url, body });
const requests = (count: number): string => Array.from({ length: count }, (_, n) => `${request(n)}\n`).join("");

const upload = async (text: string, from = client) =>
  from.files.create({ file: await toFile(Buffer.from(text), "requests.jsonl"), purpose: "batch" });
const start = async (text: string, endpoint: Endpoint = CHAT, from = client) => {
  const { id } = await upload(text, from);
  return from.batches.create({ input_file_id: id, endpoint, completion_window: "24h" });
};
const ended = async ({ id }: { id: string }, from = client): Promise<Batch> => {
  let batch: Batch | undefined;
  await until("the batch has ended", async () => {
    batch = await from.batches.retrieve(id);
    return ["completed", "failed", "expired", "cancelled"].includes(batch.status);
  });
  return batch as Batch;
};
// biome-ignore lint/suspicious/noExplicitAny: results as clients read them
const linesOf = async (fileId: string | undefined, from = client): Promise<any[]> =>
  (await (await from.files.content(fileId ?? "")).text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("OpenAI's client", () => {
  test("uploads a file, runs it as a batch and reads the results", async () => {
    const file = await upload(requests(3));
    expect(file).toMatchObject({ object: "file", filename: "requests.jsonl", purpose: "batch", status: "processed" });
    const made = await client.batches.create({
      ...{ input_file_id: file.id, endpoint: CHAT, completion_window: "24h", metadata: { name: "nightly" } },
      output_expires_after: { anchor: "created_at", seconds: 3600 },
    });
    expect(made).toMatchObject({ object: "batch", status: "validating", metadata: { name: "nightly" } });
    expect((made.expires_at ?? 0) - made.created_at).toBe(86_400);
    const batch = await ended(made);
    expect(batch).toMatchObject({ status: "completed", request_counts: { total: 3, completed: 3, failed: 0 } });
    expect(batch.usage?.output_tokens).toBe(12);
    const output = await client.files.retrieve(batch.output_file_id ?? "");
    expect([output.purpose, (output.expires_at ?? 0) - output.created_at]).toEqual(["batch_output", 3600]);
    const results = await linesOf(batch.output_file_id);
    expect(results.map(({ custom_id }) => custom_id)).toEqual(["r0", "r1", "r2"]);
    const { response } = results[0];
    expect(response).toMatchObject({ status_code: 200, body: { object: "chat.completion", choices: [{ index: 0 }] } });
    const log = await (await stack.call("GET", `/v1/requests/${response.request_id}`)).json();
    expect(log).toMatchObject({ route: CHAT, status: 200 });
  });

  test("runs completions and embeddings", async () => {
    const prompts = await ended(await start(request(1, { prompt: "One" }, "/v1/completions"), "/v1/completions"));
    expect((await linesOf(prompts.output_file_id))[0].response.body.object).toBe("text_completion");
    const texts = request(1, { model: "all-minilm-l6-v2", input: ["a", "b"] }, "/v1/embeddings");
    const vectors = await ended(await start(texts, "/v1/embeddings"));
    expect((await linesOf(vectors.output_file_id))[0].response.body.data).toHaveLength(2);
    expect([vectors.model, vectors.usage?.input_tokens]).toEqual(["all-minilm-l6-v2", 2]);
  });

  test("gets the errors of requests that fail when they run", async () => {
    const long = request(1, { messages: [{ role: "user", content: "word ".repeat(10_000) }] });
    const batch = await ended(await start(`${request(0)}\n${long}\n`));
    expect(batch).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 1, failed: 1 } });
    const [error] = await linesOf(batch.error_file_id);
    expect(error).toMatchObject({
      ...{ custom_id: "r1", error: null },
      response: { status_code: 400, body: { error: { code: "context_length_exceeded" } } },
    });
  });

  test("gets the lines of an invalid file", async () => {
    const batch = await ended(
      await start(`${request(0)}\n{\n${request(0)}\n${request(1, { messages: [], stream: true })}`),
    );
    expect([batch.status, batch.output_file_id]).toEqual(["failed", null as unknown as undefined]);
    expect(batch.errors?.data?.map(({ code, line, param }) => [code, line, param])).toEqual([
      ["invalid_json_line", 2, null],
      ["duplicate_custom_id", 3, "custom_id"],
      ["invalid_request", 4, "body.stream"],
    ]);
  });

  test("lists all files and batches, page by page", async () => {
    const key = clientOf(await stack.keyOf("member"));
    const made = [];
    for (let n = 0; n < 5; n++) made.push((await start(request(n), CHAT, key)).id);
    const listed = await Array.fromAsync(key.batches.list({ limit: 2 }), ({ id }) => id);
    expect(listed).toEqual(made.toReversed());
    const files = await Array.fromAsync(key.files.list({ limit: 2, purpose: "batch", order: "asc" }));
    expect(files.map(({ purpose }) => purpose)).toEqual(Array(5).fill("batch"));
    const newest = await Array.fromAsync(key.files.list({ limit: 3, purpose: "batch" }), ({ id }) => id);
    expect(newest).toEqual(files.map(({ id }) => id).toReversed());
  });

  test("cancels a batch, and keeps its results", async () => {
    const slow = await startStack({ tokens: 4, tokenMs: 30 });
    const from = new OpenAI({ apiKey: slow.adminKey, baseURL: `${slow.url}/v1`, maxRetries: 0 });
    try {
      const { id } = await start(requests(300), CHAT, from);
      await until(
        "a result is stored",
        async () => ((await from.batches.retrieve(id)).request_counts?.completed ?? 0) > 0,
      );
      expect((await from.batches.cancel(id)).status).toBe("cancelling");
      const {
        status,
        request_counts: counts,
        output_file_id: output,
        error_file_id: errors,
      } = await ended({ id }, from);
      expect(status).toBe("cancelled");
      const [kept, others] = [await linesOf(output, from), await linesOf(errors, from)];
      expect([kept.length, others.length, kept.length + others.length]).toEqual([
        counts?.completed,
        counts?.failed,
        300,
      ] as number[]);
      expect(others[0]).toMatchObject({ response: null, error: { code: "batch_cancelled" } });
      expect((await from.batches.cancel(id)).status).toBe("cancelled");
    } finally {
      await slow.close();
    }
  });
});

describe("a batch", () => {
  test("that expires lists the unfinished requests", async () => {
    const halted = await startStack({ tokens: 4, tokenMs: 2000 });
    const from = new OpenAI({ apiKey: halted.adminKey, baseURL: `${halted.url}/v1`, maxRetries: 0 });
    try {
      const { id } = await start(requests(20), CHAT, from);
      await until("it is running", async () => (await from.batches.retrieve(id)).status === "in_progress");
      const db = await openDb({ url: `file:${halted.dataDir}/groundwire.db` }, silentLog());
      await db.write((tx) => updateBatch(tx, id, { expiresAt: new Date() }));
      await db.close();
      const batch = await ended({ id }, from);
      expect([batch.status, batch.expired_at === null]).toEqual(["expired", false]);
      const unfinished = await linesOf(batch.error_file_id, from);
      expect(unfinished.at(-1)).toMatchObject({ custom_id: "r19", response: null, error: { code: "batch_expired" } });
    } finally {
      await halted.close();
    }
  });

  test("logs each request for its key, and doesn't use up the key's requests per minute", async () => {
    const made = await (
      await stack.call("POST", "/v1/keys", { body: { name: "nightly", role: "member", requests_per_minute: 20 } })
    ).json();
    const { id: keyId, key } = made as { id: string; key: string };
    const from = clientOf(key);
    const batch = await ended(await start(requests(30), CHAT, from), from);
    expect(batch.request_counts?.completed).toBe(30);
    await until("its requests are logged", async () => {
      const log = (await (await stack.call("GET", `/v1/requests?key=${keyId}&limit=100`)).json()) as {
        data: { route: string }[];
      };
      return log.data.filter(({ route }) => route === CHAT).length === 30;
    });
  });

  test("is created once for an Idempotency-Key", async () => {
    const { id } = await upload(request(0));
    const body = { input_file_id: id, endpoint: CHAT, completion_window: "24h" };
    const headers = { "idempotency-key": "batch-1" };
    const create = async () =>
      (await (await stack.call("POST", "/v1/batches", { body, headers })).json()) as { id: string };
    expect((await create()).id).toBe((await create()).id);
  });

  test.each([
    [{ endpoint: "/v1/images/generations" }, 400, "endpoint"],
    [{ completion_window: "48h" }, 400, "completion_window"],
    [{ input_file_id: "file_none" }, 404, "input_file_id"],
    [{ input_file_id: undefined }, 400, "input_file_id"],
    [{ metadata: { a: 1 } }, 400, "metadata.a"],
    [{ metadata: { ["x".repeat(65)]: "" } }, 400, "metadata"],
    [{ metadata: { "a\nb": { c: 1 } } }, 400, "metadata"],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ""])) }, 400, "metadata"],
    [{ output_expires_after: { anchor: "created_at", seconds: 60 } }, 400, "output_expires_after.seconds"],
  ])("is refused with %j", async (changes, status, param) => {
    const { id } = await upload(request(0));
    const body = { input_file_id: id, endpoint: CHAT, completion_window: "24h", ...changes };
    const response = await stack.call("POST", "/v1/batches", { body });
    expect([response.status, (await errorOf(response)).param]).toEqual([status, param]);
  });

  test("can't be made from an output file, or cancelled after its end", async () => {
    const batch = await ended(await start(request(0)));
    const body = { input_file_id: batch.output_file_id, endpoint: CHAT, completion_window: "24h" };
    const refused = await stack.call("POST", "/v1/batches", { body });
    expect([refused.status, (await errorOf(refused)).param]).toEqual([400, "input_file_id"]);
    expect((await stack.call("POST", `/v1/batches/${batch.id}/cancel`)).status).toBe(409);
  });
});

describe("files", () => {
  /** Sends a form. `stack.call` only sends JSON. */
  const send = (fields: Record<string, string | Blob>, key = stack.adminKey) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value as Blob);
    return fetch(`${stack.url}/v1/files`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body });
  };
  const file = new File([request(0)], "in.jsonl");

  test.each<[string, Record<string, string | Blob>, number, string]>([
    ["another purpose", { file, purpose: "fine-tune" }, 400, "purpose"],
    ["no purpose", { file }, 400, "purpose"],
    ["no file", { purpose: "batch" }, 400, "file"],
    ["the file as text", { file: "{}", purpose: "batch" }, 400, "file"],
    ["an unknown field", { file, purpose: "batch", name: "x" }, 400, "name"],
    ["a short life", { file, purpose: "batch", "expires_after[seconds]": "60" }, 400, "expires_after[seconds]"],
    ["a life in words", { file, purpose: "batch", "expires_after[seconds]": "a day" }, 400, "expires_after[seconds]"],
    [
      "another anchor",
      { file, purpose: "batch", "expires_after[anchor]": "last_used_at" },
      400,
      "expires_after[anchor]",
    ],
  ])("with %s are refused, and nothing is kept", async (_, fields, status, param) => {
    const response = await send(fields);
    expect([response.status, (await errorOf(response)).param]).toEqual([status, param]);
    const db = await openDb({ url: `file:${stack.dataDir}/groundwire.db` }, silentLog());
    const orphans = await db.all("SELECT id FROM uploads WHERE id NOT IN (SELECT upload_id FROM files)");
    await db.close();
    expect(orphans).toEqual([]);
  });

  test("that are too large are refused, and so are JSON bodies", async () => {
    const large = new File(["x".repeat(100_001)], "in.jsonl");
    expect((await send({ file: large, purpose: "batch" })).status).toBe(413);
    expect((await stack.call("POST", "/v1/files", { body: { purpose: "batch" } })).status).toBe(400);
  });

  test("are kept byte for byte, for as long as `expires_after` says", async () => {
    const made = await client.files.create({
      ...{ file: await toFile(Buffer.from("\ufeff{}\r\n"), "in.jsonl"), purpose: "batch" },
      expires_after: { anchor: "created_at", seconds: 7200 },
    });
    expect((made.expires_at ?? 0) - made.created_at).toBe(7200);
    expect(Buffer.from(await (await client.files.content(made.id)).arrayBuffer()).toString()).toBe("\ufeff{}\r\n");
  });

  test("are deleted, but not while a batch reads them", async () => {
    const stopped = await startStack({}, { hasWorker: false });
    const from = new OpenAI({ apiKey: stopped.adminKey, baseURL: `${stopped.url}/v1`, maxRetries: 0 });
    try {
      const batch = await start(request(0), CHAT, from);
      const remove = () => stopped.call("DELETE", `/v1/files/${batch.input_file_id}`);
      expect((await remove()).status).toBe(409);
      expect((await from.batches.cancel(batch.id)).status).toBe("cancelled");
      expect(await from.files.delete(batch.input_file_id)).toMatchObject({ object: "file", deleted: true });
      expect((await remove()).status).toBe(404);
    } finally {
      await stopped.close();
    }
  });

  test("and batches belong to one key", async () => {
    const batch = await ended(await start(request(0)));
    const key = await stack.keyOf("admin");
    for (const path of [
      `files/${batch.input_file_id}`,
      `files/${batch.output_file_id}/content`,
      `batches/${batch.id}`,
    ]) {
      expect([path, (await stack.call("GET", `/v1/${path}`, { key })).status]).toEqual([path, 404]);
    }
    expect((await stack.call("POST", `/v1/batches/${batch.id}/cancel`, { key })).status).toBe(404);
    expect((await stack.call("DELETE", `/v1/files/${batch.input_file_id}`, { key })).status).toBe(404);
    const body = { input_file_id: batch.input_file_id, endpoint: CHAT, completion_window: "24h" };
    expect((await stack.call("POST", "/v1/batches", { key, body })).status).toBe(404);
    for (const list of ["files", "batches"]) {
      expect(await (await stack.call("GET", `/v1/${list}`, { key })).json()).toMatchObject({
        data: [],
        has_more: false,
      });
    }
  });

  test("are refused for a key whose content must not be stored", async () => {
    const key = await stack.keyOf("member", { content_logging: false });
    expect((await send({ file, purpose: "batch" }, key)).status).toBe(403);
  });
});
