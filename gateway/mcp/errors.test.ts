import { describe, expect, test } from "bun:test";
import { AppError, type ErrorKind } from "../../lib/errors";
import { jsonRpcErrors, toolError } from "./errors";

describe("an error of the gateway's hooks", () => {
  test.each<[ErrorKind, number]>([
    ["invalid_request", -32600],
    ["missing_api_key", -32000],
    ["rate_limited", -32000],
    ["internal", -32603],
  ])("%s has the JSON-RPC code %i and the gateway's fields", (kind, code) => {
    const error = new AppError(kind, "What is wrong.", { param: "x" });
    expect(jsonRpcErrors.body(error, "req_1")).toMatchObject({
      ...{ jsonrpc: "2.0", id: null },
      error: { code, message: "What is wrong.", data: { code: kind, param: "x", request_id: "req_1" } },
    });
  });
});

describe("the text of a failed tool call", () => {
  const textOf = (...error: ConstructorParameters<typeof AppError>) =>
    toolError(new AppError(...error), "req_1").content[0]?.text;

  test("names the tool that lists the indexes instead of the API route", () => {
    const message = 'Index "x" was not found. GET /v1/rag/indexes lists the indexes.';
    expect(textOf("not_found", message, { param: "index" })).toBe(
      'Index "x" was not found. Call list_indexes to see the indexes that you can use.',
    );
  });

  test("says once when to try again", () => {
    expect(textOf("overloaded", "The queue is full.", { retryAfterMs: 1200 })).toBe(
      "The queue is full. Try again in 2 s.",
    );
    const message = "The limit is reached. Try again in 2 s.";
    expect(textOf("rate_limited", message, { retryAfterMs: 1200 })).toBe(message);
  });

  test("is the whole message otherwise", () => {
    expect(textOf("invalid_request", "top_k must be 1 or more, not 0.")).toBe("top_k must be 1 or more, not 0.");
  });
});
