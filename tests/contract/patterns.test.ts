import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { createApp } from "../../gateway/app";
import type { Services } from "../../gateway/services";
import { invalidRequest } from "../../gateway/validation/problems";
import { defaultConfig } from "../../lib/settings";

interface Text {
  pattern: string;
  examples?: string[];
}

/** Every string schema with a pattern in a request. */
const patterns = new Map<string, Text>();
const collect = (schema: unknown, seen: Set<unknown>): void => {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return;
  seen.add(schema);
  if ("type" in schema && schema.type === "string" && "pattern" in schema) {
    patterns.set(String(schema.pattern), schema as Text);
  }
  for (const inner of Object.values(schema)) collect(inner, seen);
};
const services: Partial<Services> = { config: defaultConfig() };
for (const { hooks } of createApp(services as Services).routes) {
  for (const part of [hooks.body, hooks.query, hooks.params, hooks.detail]) collect(part, new Set());
}

test("there are patterns", () => expect(patterns.size).toBeGreaterThan(10));

test.each([...patterns.values()])("the error for a text that does not match $pattern is in words", (schema) => {
  const contract = Type.Object({ field: Type.String(schema) });
  const messageFor = (field: string) => invalidRequest(Value.Errors(contract, { field })).message;
  const message = messageFor(" \n");
  expect(message).toMatch(/^field must (?:be|have|start with|not be) /);
  expect(message).not.toMatch(/[\^$[\]{}]|must match/);
  const [, example] = / such as (\S+), not " \\n"\.$/.exec(message) ?? [];
  if (message.includes("such as")) expect(Value.Check(contract, { field: example })).toBe(true);
});
