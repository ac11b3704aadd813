import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { NPM_CLIENTS } from "../clients/clients";
import { type ClientUnderTest, PIXEL } from "../clients/conversations";
import { ADMIN_KEY, Stack } from "../harness";

/* Has the conversations that the default model supports with each client from npm. */

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
}, 120_000);
afterAll(() => stack.stop());

describe.each(NPM_CLIENTS)("%s", (_, connect) => {
  let client: ClientUnderTest;
  beforeAll(() => {
    client = connect({ baseURL: `${stack.url}/v1`, apiKey: ADMIN_KEY, model: "smollm2-135m-instruct" });
  });

  test("gets the same answer complete and streamed", async () => {
    const whole = await client.plain("Name three colours.");
    expect(whole).not.toBe("");
    expect(await client.stream("Name three colours.")).toBe(whole);
  });

  test("gets an object that follows its schema", async () => {
    const { city, country, ...others } = await client.schema("Where is the Colosseum? Answer as JSON.");
    expect([typeof city, typeof country, others]).toEqual(["string", "string", {}]);
  });

  test("gets its own error with status 400 for an image", async () => {
    const error = await client.image("What is this?", PIXEL).catch((thrown: unknown) => thrown);
    expect(client.statusOf(error)).toBe(400);
    expect(String(error)).toContain("smollm2-135m-instruct");
  });
});
