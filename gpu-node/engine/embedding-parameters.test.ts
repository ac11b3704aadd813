import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { checkDimensions, readEmbeddingParameters, readEncodingFormat } from "./parameters";

const rejectedParam = (body: Record<string, unknown>): string | undefined => {
  try {
    readEmbeddingParameters(body);
    readEncodingFormat(body);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === "invalid_request") return thrown.detail.param;
    throw thrown;
  }
  return undefined;
};

describe("readEmbeddingParameters", () => {
  test.each<[what: string, input: unknown, inputs: unknown[], name: string]>([
    ["a string", "a", ["a"], "input"],
    ["a list of strings", ["a", "b"], ["a", "b"], "input.0"],
    ["token ids", [1, 2], [[1, 2]], "input"],
    ["lists of token ids", [[1], [2, 3]], [[1], [2, 3]], "input.0"],
  ])("reads %s and names its first input", (_what, input, inputs, name) => {
    const parameters = readEmbeddingParameters({ input, model: "m", user: "u", dimensions: null });
    expect(parameters).toMatchObject({ model: "m", inputs, dimensions: undefined });
    expect(parameters.nameOf(0)).toBe(name);
  });

  test.each<[param: string, body: Record<string, unknown>]>([
    ["input", {}],
    ["input", { input: null }],
    ["input", { input: "" }],
    ["input", { input: [] }],
    ["input.1", { input: [1, "a"] }],
    ["input.1", { input: [1, -1] }],
    ["input", { input: "\ud800" }],
    ["input.1", { input: ["a", ""] }],
    ["input.1", { input: ["a", 1] }],
    ["input.1", { input: [[1], []] }],
    ["input.0.0", { input: [[1.5]] }],
    ["input", { input: Array(2049).fill("a") }],
    ["dimensions", { input: "a", dimensions: 0 }],
    ["encoding_format", { input: "a", encoding_format: "int8" }],
    ["truncate", { input: "a", truncate: true }],
    ["model", { input: "a", model: "" }],
  ])("the error names %s", (param, body) => {
    expect(rejectedParam(body)).toBe(param);
  });

  test("2,048 inputs are accepted", () => {
    expect(readEmbeddingParameters({ input: Array(2048).fill("a") }).inputs).toHaveLength(2048);
  });
});

test("the error for an invalid input lists every accepted form", () => {
  expect(() => readEmbeddingParameters({ input: 5 })).toThrow(
    "input must be a non-empty string, a list of token ids, or a list of up to 2048 of either, not 5.",
  );
  expect(() => readEmbeddingParameters({ input: ["a", [1, "b"]] })).toThrow('input.1.1 must be a token id, not "b".');
});

test("dimensions other than the model's are rejected by name", () => {
  checkDimensions(undefined, 384);
  checkDimensions(384, 384);
  expect(() => checkDimensions(256, 384)).toThrow(/^dimensions must be 384, not 256/);
});
