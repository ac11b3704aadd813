import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ResponseEvent, ResponseObject } from "../../gateway/responses/contract";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* Streams that end before their answer is complete. */

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 100_000, tokenMs: 5 }, { hasWorker: false });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const start = (headers?: Record<string, string>) =>
  stack.call("POST", "/v1/responses", { body: { input: "Count", stream: true }, headers });

const eventsIn = (text: string): ResponseEvent[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)));

/** The slots in use on the node. */
const running = async (): Promise<number | undefined> => {
  const { data } = (await (await stack.call("GET", "/v1/nodes")).json()) as { data: { slots: { running: number } }[] };
  return data[0]?.slots.running;
};

test("an error after the first event is sent as error and response.failed, then [DONE]", async () => {
  const text = await (await start({ "x-deadline-ms": "700" })).text();
  const events = eventsIn(text);
  expect(text).toEndWith("data: [DONE]\n\n");
  expect(events.slice(-2)).toMatchObject([
    { type: "error", error: { code: "deadline_exceeded", type: "server_error", param: null, retryable: true } },
    { type: "response.failed", response: { status: "failed", store: false, error: { code: "deadline_exceeded" } } },
  ]);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
});

test("cancel stops the generation, and the stream ends with the cancelled response", async () => {
  const response = await start();
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async (): Promise<boolean> => {
    const { value = "", done } = await reader.read();
    text += value;
    return !done;
  };
  while (!text.includes("response.output_text.delta")) expect(await read()).toBe(true);
  const [created] = eventsIn(text);
  const id = created && "response" in created ? created.response.id : "";
  const inProgress = (await (await stack.call("GET", `/v1/responses/${id}`)).json()) as ResponseObject;
  expect([inProgress.status, inProgress.output.length]).toEqual(["in_progress", 1]);

  const cancelled = (await (await stack.call("POST", `/v1/responses/${id}/cancel`)).json()) as ResponseObject;
  expect(cancelled).toMatchObject({ id, status: "cancelled", output: [{ type: "message", status: "incomplete" }] });
  while (await read());
  expect(text).toEndWith("data: [DONE]\n\n");
  expect(eventsIn(text).at(-1)).toMatchObject({ type: "response.incomplete", response: cancelled });
  expect(await (await stack.call("GET", `/v1/responses/${id}`)).json()).toEqual(cancelled);
  await until("the slot is free", async () => (await running()) === 0);
});
