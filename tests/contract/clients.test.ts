import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CLIENTS_UNDER_TEST } from "../clients/clients";
import { answerByScript, type ClientUnderTest, PIXEL, SCRIPT } from "../clients/conversations";
import { until } from "../until";
import { MODEL, startCapableStack, startUnableStack } from "./capable-stack";
import type { Stack } from "./stack";

/* The conversations of docs/clients.md on every chat route. `tests/e2e/clients.test.ts` has them with the default model. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let unable: Stack;
beforeAll(async () => {
  [capable, unable] = await Promise.all([startCapableStack(), startUnableStack()]);
  capable.server.answer = answerByScript;
});
afterAll(() => Promise.all([capable.close(), unable.close()]));

const connectionTo = (stack: Stack, model: string) => ({
  baseURL: `${stack.url}/v1`,
  apiKey: stack.adminKey,
  model,
});

/** The HTTP status of a refusal, as the client reports it. */
const refusal = async (client: ClientUnderTest, work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return client.statusOf(error);
  }
  throw new Error("The request was expected to fail.");
};

describe.each(CLIENTS_UNDER_TEST)("%s", (_, connect) => {
  let client: ClientUnderTest;
  beforeAll(() => {
    client = connect(connectionTo(capable.stack, MODEL));
  });

  test("gets the same answer complete and streamed", async () => {
    expect([await client.plain("Hello"), await client.stream("Hello")]).toEqual([SCRIPT.text, SCRIPT.text]);
  });

  test("gets an object that follows its schema", async () => {
    expect(await client.schema("Where is the Colosseum?")).toEqual(SCRIPT.city);
    expect(capable.server.last.response_format).toMatchObject({ type: "json_schema" });
  });

  test("calls a function and gets the answer that uses its result", async () => {
    expect(await client.tools("What is the weather in Rome?")).toEqual({ cities: ["Rome"], text: SCRIPT.weather });
  });

  test("sends an image to a model that reads images", async () => {
    expect(await client.image("What is this?", PIXEL)).toBe(SCRIPT.image);
    expect(JSON.stringify(capable.server.last.messages)).toContain(`data:image/png;base64,${PIXEL}`);
  });

  test("gets its own error with status 400 for an image that the model can't read", async () => {
    const other = connect(connectionTo(unable, "smollm2-135m-instruct"));
    expect(await refusal(other, other.image("What is this?", PIXEL))).toBe(400);
  });

  test("gets its own error with status 401 for a wrong key", async () => {
    const stranger = connect({ ...connectionTo(capable.stack, MODEL), apiKey: "gw_wrong" });
    expect(await refusal(stranger, stranger.plain("Hello"))).toBe(401);
  });

  test("aborts a stream, which ends the generation", async () => {
    const before = capable.server.abandoned;
    expect(SCRIPT.text).toStartWith(await client.abort(`Write ${SCRIPT.endless}`));
    await until("the model's server loses its reader", () => capable.server.abandoned === before + 1, 5000);
  });
});
