import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CLIENTS_UNDER_TEST } from "../clients/clients";
import { type ClientUnderTest, PIXEL } from "../clients/conversations";
import { ADMIN_KEY, Stack } from "../harness";
import { until } from "../until";

/* The conversations that the default model can have, on every chat route. */

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
}, 120_000);
afterAll(() => stack.stop());

const QUESTION = "Name three colours.";
/** The answer of the first client. */
let answer: string | undefined;

describe.each(CLIENTS_UNDER_TEST)("%s", (_, connect) => {
  let client: ClientUnderTest;
  beforeAll(() => {
    client = connect({ baseURL: `${stack.url}/v1`, apiKey: ADMIN_KEY, model: "smollm2-135m-instruct" });
  });

  test("gets the same answer as the others, whole and streamed", async () => {
    answer ??= await client.plain(QUESTION);
    expect(answer).not.toBe("");
    expect([await client.plain(QUESTION), await client.stream(QUESTION)]).toEqual([answer, answer]);
  });

  test("gets an object that follows its schema", async () => {
    const { city, country, ...others } = await client.schema("Where is the Colosseum? Answer as JSON.");
    expect([typeof city, typeof country, others]).toEqual(["string", "string", {}]);
  });

  test("calls a function and gets an answer", async () => {
    const { cities, text } = await client.tools("What is the weather in Rome?");
    expect(cities).toEqual([expect.any(String)]);
    expect(text).not.toBe("");
  });

  test("leaves a stream, which frees its slot", async () => {
    expect(await client.abort("Write a long story about the sea.")).not.toBe("");
    await until("the node runs nothing", async () => (await stack.nodeState()).slots.running === 0, 1000);
  });

  test("gets its own error with status 400 for an image", async () => {
    const error = await client.image("What is this?", PIXEL).catch((thrown: unknown) => thrown);
    expect(client.statusOf(error)).toBe(400);
    expect(String(error)).toContain("smollm2-135m-instruct");
  });
});
