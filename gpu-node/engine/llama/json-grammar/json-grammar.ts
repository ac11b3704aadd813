import { BASE_RULES, FORMATS } from "./base-rules";
import { count, isOfType, isSchema, KEYWORDS, reject, type Schema, typesOf } from "./keywords";
import { BOUND_KEYWORDS, integerGrammar, type NumberBounds, numberGrammar } from "./numbers";
import { canEnd, resolveReference } from "./recursion";

/**
 * Converts a JSON schema to GBNF, llama.cpp's grammar language. A keyword that a grammar can't enforce is rejected by
 * name, because an error is better than an answer that may not match the schema. The model writes properties in the
 * schema's order and never writes undeclared ones. Throws invalid_request.
 */
export const schemaToGrammar = (schema: unknown): string => {
  const grammar = new GrammarBuilder();
  return grammar.build(grammar.add(schema, RESPONSE_SCHEMA));
};

/** The request's field with the schema of the answer. */
export const RESPONSE_SCHEMA = "response_format.json_schema.schema";
const MAX_SCHEMA_CHARS = 65_536;
const MAX_DEPTH = 64;
const ANNOTATIONS = new Set(
  "title description default examples deprecated readOnly writeOnly $comment $schema $id $defs definitions".split(" "),
);

/** Builds one GBNF grammar from any number of schemas and rules. */
export class GrammarBuilder {
  readonly #rules = new Map<string, string>();
  /** The schema being added, and the rules that its references have created. */
  #schema: unknown;
  #references = new Map<unknown, string>();
  #isLenient = false;

  /**
   * Adds a schema and returns the expression that matches its values. `path` names the schema in errors. If lenient,
   * ignores keywords that a grammar can't enforce. Throws invalid_request.
   */
  add(schema: unknown, path: string, isLenient = false): string {
    if (isTooLong(schema)) reject(path, `is longer than ${MAX_SCHEMA_CHARS} characters. Shorten it`);
    this.#schema = schema;
    this.#references = new Map();
    this.#isLenient = isLenient;
    const expression = this.#visit(schema, path, 0);
    if (!canEnd(schema))
      reject(path, "always contains itself, so an answer would never end. Make the recursive reference optional");
    return expression;
  }

  /** Adds a rule and returns its name. */
  rule(name: string, body: string): string {
    this.#rules.set(name, body);
    return name;
  }

  /** The complete grammar for texts that match the expression. */
  build(start: string): string {
    this.rule("root", start);
    return [...this.#rules].map(([name, body]) => `${name} ::= ${body}`).join("\n");
  }

  /** Returns the GBNF expression for one schema. `path` is the schema's name in errors. */
  #visit(schema: unknown, path: string, depth: number): string {
    if (depth > MAX_DEPTH) reject(path, `is nested deeper than ${MAX_DEPTH} levels. Flatten it`);
    if (schema === true) return this.#base("any");
    if (!isSchema(schema)) return reject(path, "must be an object or true");
    if ("$ref" in schema) return this.#reference(schema, path, depth);
    if ("anyOf" in schema) return this.#anyOf(schema, path, depth);
    if (Array.isArray(schema.allOf) && schema.allOf.length === 1) {
      this.#allow(schema, path, ["allOf"]); // older pydantic versions write a reference with a description this way
      return this.#visit(schema.allOf[0], `${path}.allOf.0`, depth + 1);
    }
    if ("const" in schema || "enum" in schema) return this.#literals(schema, path);
    const types = typesOf(schema, path);
    if (!types) {
      this.#allow(schema, path, []);
      return this.#base("any");
    }
    this.#allow(schema, path, ["type", ...types.flatMap((type) => KEYWORDS[type] ?? [])]);
    return alternatives(types.map((type) => this.#type(type, schema, path, depth)));
  }

  #type(type: string, schema: Schema, path: string, depth: number): string {
    switch (type) {
      case "object":
        return this.#object(schema, path, depth);
      case "array":
        return this.#array(schema, path, depth);
      case "string":
        return this.#string(schema, path);
      case "integer":
      case "number":
        return this.#number(type, schema, path);
      default:
        return this.#base(type);
    }
  }

  #reference(schema: Schema, path: string, depth: number): string {
    this.#allow(schema, path, ["$ref"]);
    const { $ref } = schema;
    const target = resolveReference(this.#schema, $ref);
    // One rule per target, because a pointer has many spellings.
    const known = this.#references.get(target);
    if (known) return known;
    if (target === undefined) reject(`${path}.$ref`, "must refer to a part of this schema, such as #/$defs/name");
    const name = this.rule(`ref-${this.#rules.size}`, '""');
    this.#references.set(target, name); // before the visit, for definitions that refer to themselves
    return this.rule(name, this.#visit(target, `${path}.$ref`, depth + 1));
  }

  #anyOf(schema: Schema, path: string, depth: number): string {
    this.#allow(schema, path, ["anyOf"]);
    const { anyOf } = schema;
    if (!Array.isArray(anyOf) || anyOf.length === 0) return reject(`${path}.anyOf`, "must be a list of schemas");
    return alternatives(anyOf.map((option, index) => this.#visit(option, `${path}.anyOf.${index}`, depth + 1)));
  }

  #literals(schema: Schema, path: string): string {
    this.#allow(schema, path, ["const", "enum", "type"]);
    const types = typesOf(schema, path);
    const listed: unknown[] | undefined = Array.isArray(schema.enum) ? schema.enum : undefined;
    const literals = listed && new Set(listed.map(literal));
    const values = "const" in schema ? [schema.const] : (listed ?? []);
    const isListed = (value: unknown) => !literals || literals.has(literal(value));
    const fitting = values.filter(
      (value) => isListed(value) && (!types || types.some((type) => isOfType(value, type))),
    );
    if (fitting.length === 0) reject(path, "allows no value: const, enum and type contradict each other");
    return alternatives(fitting.map(literal));
  }

  #string(schema: Schema, path: string): string {
    const minimum = count(schema, "minLength", path);
    const maximum = count(schema, "maxLength", path);
    const { format } = schema;
    const isKnown = typeof format === "string" && FORMATS.includes(format);
    if (format !== undefined && (isKnown || !this.#isLenient)) {
      if (!isKnown) reject(`${path}.format`, `isn't supported. Formats: ${FORMATS.join(", ")}`);
      if (minimum !== undefined || maximum !== undefined)
        reject(path, "has both a format and a length limit. Remove one of them");
      return `"\\"" ${this.#base(String(format))} "\\""`;
    }
    if (minimum === undefined && maximum === undefined) return this.#base("string");
    return `"\\"" ${this.#base("char")}${repetition(minimum ?? 0, maximum, path)} "\\""`;
  }

  #number(type: "integer" | "number", schema: Schema, path: string): string {
    const { multipleOf } = schema;
    if (multipleOf !== undefined && multipleOf !== 1)
      reject(`${path}.multipleOf`, "must be 1. Other steps aren't supported");
    const isWhole = type === "integer" || multipleOf === 1;
    const bounds: NumberBounds = {};
    for (const keyword of BOUND_KEYWORDS) {
      const value = schema[keyword];
      if (typeof value === "number" && Number.isFinite(value)) bounds[keyword] = value;
      else if (value !== undefined) reject(`${path}.${keyword}`, "must be a number");
    }
    const given = Object.entries(bounds);
    if (given.length === 0) return this.#base(isWhole ? "integer" : "number");
    const kind = isWhole ? "whole number" : "number";
    return (
      (isWhole ? integerGrammar(bounds) : numberGrammar(bounds)) ??
      reject(path, `allows no ${kind} within ±(2^53 - 1): ${given.map((pair) => pair.join(" ")).join(", ")}`)
    );
  }

  #array(schema: Schema, path: string, depth: number): string {
    const { items, prefixItems = [] } = schema;
    if (!Array.isArray(prefixItems)) return reject(`${path}.prefixItems`, "must be a list of schemas");
    const minimum = Math.max(count(schema, "minItems", path) ?? 0, prefixItems.length);
    const maximum = items === false ? prefixItems.length : count(schema, "maxItems", path);
    if (maximum !== undefined && maximum < minimum) reject(path, "requires more items than it allows");
    const first = prefixItems.map((item, index) => this.#visit(item, `${path}.prefixItems.${index}`, depth + 1));
    const comma = this.#comma();
    const isClosed = maximum === prefixItems.length;
    const item = isClosed ? "" : this.#named("item", this.#visit(items ?? true, `${path}.items`, depth + 1));
    const more = (from: number) =>
      repetition(Math.max(0, minimum - from), maximum === undefined ? undefined : maximum - from, path);
    let body: string;
    if (first.length > 0) {
      const rest = isClosed ? [] : [`(${comma} ${item})${more(first.length)}`];
      body = [`(${first.join(`) ${comma} (`)})`, ...rest].join(" ");
    } else if (isClosed) {
      body = "";
    } else {
      body = `(${item} (${comma} ${item})${more(1)})${minimum === 0 ? "?" : ""}`;
    }
    return `"[" ${this.#base("ws")} ${body} ${this.#base("ws")} "]"`;
  }

  #object(schema: Schema, path: string, depth: number): string {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    if (!isSchema(properties)) return reject(`${path}.properties`, "must be an object");
    if (!Array.isArray(required) || required.some((name) => typeof name !== "string"))
      return reject(`${path}.required`, "must be a list of names");
    const undeclared = required.filter((name) => !Object.hasOwn(properties, name));
    if (undeclared.length > 0 && additionalProperties === false)
      reject(`${path}.required`, "lists a property that is not in properties. Add it to properties");
    const members = [...Object.entries(properties), ...undeclared.map((name) => [String(name), additionalProperties])];
    const value = (of: unknown, at: string) => this.#visit(of, at, depth + 1);
    const ws = this.#base("ws");
    if (members.length === 0) {
      if (additionalProperties === false) return `"{" ${ws} "}"`;
      const others = value(additionalProperties, `${path}.additionalProperties`);
      const member = this.#named("other", `${this.#base("string")} ${ws} ":" ${ws} (${others})`);
      return `"{" ${ws} (${member} (${this.#comma()} ${member})*)? ${ws} "}"`;
    }
    const written = members.map(([name, of]) => ({
      text: `${literal(name)} ${ws} ":" ${ws} (${value(of, `${path}.properties.${name}`)})`,
      isRequired: required.includes(name),
    }));
    return `"{" ${ws} ${this.#members(written)} ${ws} "}"`;
  }

  /**
   * All members in order; optional members may be absent. Each position has two rules, because a member starts with a
   * comma only if another member came before it.
   */
  #members(members: { text: string; isRequired: boolean }[]): string {
    const base = `members-${this.#rules.size}`;
    const comma = this.#comma();
    const rule = (place: number, isFirst: boolean) =>
      place < members.length ? `${base}-${isFirst ? "first" : "next"}-${place}` : "";
    members.forEach(({ text, isRequired }, place) => {
      for (const isFirst of [true, false]) {
        const present = `${isFirst ? "" : `${comma} `}${text} ${rule(place + 1, false)}`;
        const absent = rule(place + 1, isFirst) || '""';
        this.#rules.set(rule(place, isFirst), isRequired ? present : `${present} | ${absent}`);
      }
    });
    return rule(0, true);
  }

  /** The name of an expression that is written twice: inline, nested lists would double their grammar at every level. */
  #named(name: string, expression: string): string {
    return /^[\w-]+$/.test(expression) ? expression : this.rule(`${name}-${this.#rules.size}`, expression);
  }

  #comma(): string {
    const ws = this.#base("ws");
    return `${ws} "," ${ws}`;
  }

  /** Adds a base rule and the rules that it refers to. */
  #base(name: string): string {
    const body = BASE_RULES[name];
    if (body && !this.#rules.has(name)) {
      this.#rules.set(name, body);
      const withoutText = body.replace(/"(\\.|[^"\\])*"|\[(\\.|[^\]\\])*\]/g, " ");
      for (const [used] of withoutText.matchAll(/[a-z][a-z-]*/g)) this.#base(used);
    }
    return name;
  }

  #allow(schema: Schema, path: string, keywords: readonly string[]): void {
    const unknown = Object.keys(schema).find((key) => !keywords.includes(key) && !ANNOTATIONS.has(key));
    if (unknown === undefined || this.#isLenient) return;
    const supported = keywords.join(", ") || "none, because the schema has no type";
    const instead = unknown === "oneOf" ? "Use anyOf" : `Keywords supported here: ${supported}`;
    reject(`${path}.${unknown}`, `isn't supported. ${instead}`);
  }
}

/** JSON.stringify throws on a schema that is nested so deeply that it is also too long. */
const isTooLong = (schema: unknown): boolean => {
  try {
    return JSON.stringify(schema).length > MAX_SCHEMA_CHARS;
  } catch {
    return true;
  }
};

const repetition = (minimum: number, maximum: number | undefined, path: string): string => {
  if (maximum !== undefined && maximum < minimum) reject(path, "has a minLength greater than its maxLength");
  return `{${minimum},${maximum ?? ""}}`;
};

/** A value's JSON as a GBNF string. GBNF uses the same escapes as JSON. */
const literal = (value: unknown): string => JSON.stringify(JSON.stringify(value));
const alternatives = ([first = "", ...others]: string[]): string =>
  others.length === 0 ? first : `(${[first, ...others].join(" | ")})`;
