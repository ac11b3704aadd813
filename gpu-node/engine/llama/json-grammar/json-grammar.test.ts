import { expect, test } from "bun:test";
import { AppError } from "../../../../lib/errors";
import { schemaToGrammar } from "./json-grammar";

const paramOf = (schema: unknown): string | undefined => {
  try {
    schemaToGrammar(schema);
  } catch (error) {
    if (error instanceof AppError) return error.detail.param?.replace("response_format.json_schema.", "");
    throw error;
  }
  return undefined;
};

const nest = (depth: number, around: (inner: unknown) => unknown): unknown =>
  depth === 0 ? { type: "null" } : around(nest(depth - 1, around));

test("a keyword that a grammar can't enforce is rejected by name", () => {
  const property = (schema: unknown) => paramOf({ type: "object", properties: { x: schema } });
  expect(property({ type: "string", pattern: "^a" })).toBe("schema.properties.x.pattern");
  expect(property({ type: "string", format: "email" })).toBe("schema.properties.x.format");
  expect(property({ type: "number", minimum: 3, maximum: 2 })).toBe("schema.properties.x");
  expect(property({ type: "integer", multipleOf: 3 })).toBe("schema.properties.x.multipleOf");
  expect(property({ type: "array", uniqueItems: true })).toBe("schema.properties.x.uniqueItems");
  expect(property({ oneOf: [{ type: "string" }] })).toBe("schema.properties.x.oneOf");
  expect(property({ allOf: [{ type: "string" }, { minLength: 2 }] })).toBe("schema.properties.x.allOf");
  expect(property({ anyOf: [{ type: "string" }], type: "string" })).toBe("schema.properties.x.type");
  expect(property({ $ref: "#/$defs/none" })).toBe("schema.properties.x.$ref");
  expect(property({ $ref: "https://example.com/schema" })).toBe("schema.properties.x.$ref");
  expect(property({ type: "text" })).toBe("schema.properties.x.type");
  expect(property({ type: "string", enum: [1, 2] })).toBe("schema.properties.x");
  expect(property({ type: "array", minItems: 3, maxItems: 2 })).toBe("schema.properties.x");
  expect(property({ type: "string", maxLength: 1e9 })).toBe("schema.properties.x.maxLength");
  expect(property(false)).toBe("schema.properties.x");
  expect(paramOf({ type: "object", required: ["y"], additionalProperties: false })).toBe("schema.required");
  expect(paramOf({ type: "object", required: [{ toString: 1, valueOf: 1 }] })).toBe("schema.required");
  expect(paramOf("text")).toBe("schema");
});

test.each([["text"], [["string", "int"]], [[]], [5]])("the type %j is rejected with the list of types", (type) => {
  expect(() => schemaToGrammar({ type })).toThrow(
    ".type must be one of these types, or a list of them: string, number, integer, array, object, boolean, null.",
  );
});

test.each<[what: string, reference: unknown, isFound: boolean]>([
  ["the whole schema", "#", true],
  ["a definition", "#/$defs/name", true],
  ["a name with ~ and /", "#/$defs/a~1b~0c", true],
  ["a percent-encoded name", "#/$defs/a%20b", true],
  ["an own __proto__", "#/$defs/own/__proto__", true],
  ["an entry of a list", "#/$defs/list/anyOf/0", true],
  ["an unknown name", "#/$defs/none", false],
  ["a part of null", "#/$defs/empty/y", false],
  ["a part of an unknown name", "#/$defs/none/y/z", false],
  ["a part of a string", "#/$defs/text/length", false],
  ["an inherited object", "#/__proto__", false],
  ["an inherited function", "#/constructor", false],
  ["an entry after the end of a list", "#/$defs/list/anyOf/1", false],
  ["a broken percent-encoding", "#/$defs/%", false],
  ["a string that is not a pointer", "name", false],
  ["an object instead of a string", { toString: 1, valueOf: 1 }, false],
  ["null", null, false],
])("a reference resolves only to a part of the schema: %s", (_what, $ref, isFound) => {
  const own = JSON.parse('{"__proto__": {"type": "string"}}');
  const name = { type: "string" };
  const $defs = { name, "a/b~c": name, "a b": name, own, list: { anyOf: [name] }, empty: null, text: "text" };
  const schema = { type: "object", properties: { x: { $ref } }, $defs };
  expect(paramOf(schema)).toBe(isFound ? undefined : "schema.properties.x.$ref");
});

test("a schema with endless recursion is rejected, and recursion that can end is accepted", () => {
  const list = (required: string[]) => ({
    $ref: "#/$defs/node",
    $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } }, required } },
  });
  expect(paramOf(list(["next"]))).toBe("schema");
  expect(paramOf(list([]))).toBeUndefined();
  expect(
    paramOf({
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#" } } },
      required: ["children"],
    }),
  ).toBeUndefined();
  expect(paramOf({ anyOf: [{ type: "null" }, { $ref: "#" }] })).toBeUndefined();
  expect(paramOf({ $ref: "#" })).toBe("schema");
});

test("a schema with exponentially many paths through its definitions is converted in time", () => {
  const doubling = (last: unknown) => {
    const $defs: Record<string, unknown> = { d28: last };
    for (let i = 0; i < 28; i++) $defs[`d${i}`] = { anyOf: Array(2).fill({ $ref: `#/$defs/d${i + 1}` }) };
    return { $ref: "#/$defs/d0", $defs };
  };
  expect(paramOf(doubling({ $ref: "#/$defs/d28" }))).toBe("schema");
  expect(paramOf(doubling({ type: "null" }))).toBeUndefined();
});

test.each<[what: string, schema: (depth: number) => unknown]>([
  ["lists", (depth) => nest(depth, (items) => ({ type: "array", items }))],
  ["objects", (depth) => nest(depth, (additionalProperties) => ({ type: "object", additionalProperties }))],
  ["repeated types", (depth) => nest(depth, (items) => ({ type: ["array", "array"], items }))],
])("S4: the grammar of nested %s grows with their depth only", (_, schema) => {
  const [shallow, deep] = [schema(20), schema(40)].map((one) => schemaToGrammar(one).length);
  expect(deep).toBeLessThan(2.5 * (shallow ?? 0));
});

test("S4: the spellings of a reference share one rule", () => {
  const part = { type: "object", properties: { a: { type: "string" }, b: { type: "string" } } };
  const options = ["#/$defs/part", "#/$defs/p%61rt", "#/$defs/pa%72t"].map(($ref) => ({ $ref }));
  const rules = schemaToGrammar({ anyOf: options, $defs: { part } }).match(/^ref-\d+ ::=/gm);
  expect(rules).toHaveLength(1);
});

test("S4: a list of many values is converted in time", () => {
  const values = Array.from({ length: 11_000 }, (_, index) => index);
  const startedAt = performance.now();
  schemaToGrammar({ enum: values });
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test("annotations have no effect", () => {
  expect(schemaToGrammar({ type: "string", title: "Name", description: "Any name", default: "" })).toBe(
    schemaToGrammar({ type: "string" }),
  );
});

test("S4: a schema that is nested too deeply or is too long is rejected", () => {
  const nested = (depth: number): unknown =>
    depth === 0 ? { type: "null" } : { type: "array", items: nested(depth - 1) };
  expect(paramOf(nested(200))).toContain("schema.items");
  expect(paramOf({ const: "x".repeat(70_000) })).toBe("schema");
  expect(paramOf({ const: JSON.parse("[".repeat(200_000) + "]".repeat(200_000)) })).toBe("schema");
});
