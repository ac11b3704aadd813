import { expect, test } from "bun:test";
import { type JsonSchema, undeclaredFields } from "./undeclared-fields";

const text = { type: "string" };
const schemas = { Key: { type: "object", properties: { id: text, name: text } } };
const list: JsonSchema = { type: "object", properties: { data: { type: "array", items: { $ref: "#/x/Key" } } } };

test.each<[what: string, value: unknown, schema: JsonSchema, found: string[]]>([
  ["a declared object", { id: "1", name: "a" }, { $ref: "#/x/Key" }, []],
  ["a hash that leaked", { id: "1", secret_hash: "a" }, { $ref: "#/x/Key" }, [".secret_hash"]],
  ["an item of a list", { data: [{ id: "1" }, { id: "2", owner: "a" }] }, list, [".data[].owner"]],
  ["any object", { a: 1, b: { c: 2 } }, { type: "object" }, []],
  [
    "a record",
    { a: { id: "1", x: 1 } },
    { type: "object", properties: {}, additionalProperties: { $ref: "#/x/Key" } },
    [".a.x"],
  ],
  ["null or an object", null, { anyOf: [{ $ref: "#/x/Key" }, { type: "null" }] }, []],
  ["an undeclared field of a variant", { id: "1", x: 1 }, { anyOf: [{ $ref: "#/x/Key" }, { type: "null" }] }, [".x"]],
  ["a name of Object's prototype", { constructor: 1 }, { $ref: "#/x/Key" }, [".constructor"]],
])("the undeclared fields of %s", (_, value, schema, found) => {
  expect(undeclaredFields(value, schema, schemas)).toEqual(found);
});
