import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../../../lib/errors";
import { schemaToGrammar } from "./json-grammar";

/** Translates a grammar without recursion into a regular expression that matches whole strings. */
const toRegExp = (grammar: string): RegExp => {
  const rules = new Map(
    grammar.split("\n").map((line): [string, string] => {
      const [name = "", body = ""] = line.split(/ ::= (.*)/s);
      return [name, body];
    }),
  );
  const translate = (body: string): string =>
    body.replace(
      /"((?:\\.|[^"\\])*)"|(\[(?:\\.|[^\]\\])*\])|([a-z][a-z0-9-]*)|(\s+)/g,
      (_, literal: string | undefined, chars: string | undefined, rule: string | undefined) => {
        if (literal !== undefined) return JSON.parse(`"${literal}"`).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
        if (chars) return chars;
        return rule ? `(?:${translate(rules.get(rule) ?? "(rule is missing)")})` : "";
      },
    );
  return new RegExp(`^(?:${translate(rules.get("root") ?? "")})$`, "u");
};

const matcher = (schema: object) => {
  const pattern = toRegExp(schemaToGrammar(schema));
  return (text: string) => pattern.test(text);
};

const rejection = (schema: object): AppError => {
  try {
    schemaToGrammar(schema);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error(`${JSON.stringify(schema)} was not rejected`);
};

const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
/** Whole numbers of every length, so that short and long bounds are equally likely. */
const wholeNumber = fc
  .tuple(fc.integer({ min: 0, max: 52 }), fc.maxSafeInteger())
  .map(([bits, value]) => Math.trunc(value / 2 ** bits) + 0);

describe("whole numbers", () => {
  test("within bounds can be written, and no others", () => {
    fc.assert(
      fc.property(wholeNumber, wholeNumber, fc.array(wholeNumber, { minLength: 5, maxLength: 20 }), (a, b, others) => {
        const [minimum, maximum] = a < b ? [a, b] : [b, a];
        const isWritten = matcher({ type: "integer", minimum, maximum });
        const near = [minimum, maximum].flatMap((bound) => [-11, -2, -1, 0, 1, 2, 9, 10].map((step) => bound + step));
        const middle = Math.trunc(minimum / 2 + maximum / 2);
        for (const value of [...near, ...others, middle, 0].filter(Number.isSafeInteger)) {
          const isWithin = minimum <= value && value <= maximum;
          if (isWritten(`${value + 0}`) !== isWithin) throw new Error(`${value} in ${minimum}…${maximum}`);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("of every small range can be written, and no others", () => {
    for (let minimum = -23; minimum <= 23; minimum++) {
      for (const maximum of [minimum, minimum + 1, minimum + 9, minimum + 87]) {
        const isWritten = matcher({ type: "integer", minimum, maximum });
        for (let value = -130; value <= 130; value++) {
          if (isWritten(`${value}`) !== (minimum <= value && value <= maximum))
            throw new Error(`${value} in ${minimum}…${maximum}`);
        }
      }
    }
  });

  test.each([
    [
      { minimum: 1, maximum: 5000 },
      ["1", "9", "10", "999", "4999", "5000"],
      ["0", "5001", "-1", "05", "1.0", "1e3", ""],
    ],
    [{ minimum: -5, maximum: 5 }, ["-5", "-1", "0", "5"], ["-6", "6", "-0", "00"]],
    [{ minimum: -300, maximum: -20 }, ["-300", "-20", "-99"], ["-301", "-19", "0", "20"]],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 10 }, ["1", "9"], ["0", "10"]],
    [{ exclusiveMinimum: 0 }, ["1", `${MAX_INTEGER}`], ["0", "-1", `${MAX_INTEGER + 1}`]],
    [{ minimum: 18 }, ["18", "100", "123456789012345"], ["17", "9", "-20"]],
    [{ minimum: 0 }, ["0", "7"], ["-1", "-0"]],
    [{ maximum: -1 }, ["-1", `-${MAX_INTEGER}`], ["0", "1"]],
    [{ maximum: 100 }, ["100", "-5", "0"], ["101"]],
    [{ minimum: 0.5, maximum: 2.5 }, ["1", "2"], ["0", "3"]],
    [{ minimum: -2.5, maximum: -0.5 }, ["-2", "-1"], ["-3", "0"]],
    [{ minimum: 3, exclusiveMinimum: 7, maximum: 9 }, ["8", "9"], ["7", "3"]],
    [{ minimum: 1, maximum: 5000, multipleOf: 1 }, ["1", "5000"], ["0"]],
    [{ minimum: 1e15 }, ["1000000000000000", "9007199254740991"], ["999999999999999"]],
    [{ minimum: -(2 ** 63), maximum: 2 ** 63 - 1 }, ["0", `-${MAX_INTEGER}`], [`${MAX_INTEGER + 1}`]],
    [{ minimum: 7, maximum: 7 }, ["7"], ["6", "8", "77"]],
    [{ minimum: 1e-7, maximum: 1.5 }, ["1"], ["0"]],
    [{}, ["0", "-7", "123456789012345"], ["01", "1.5"]],
  ])("of %j", (bounds, written, rejected) => {
    const isWritten = matcher({ type: "integer", ...bounds });
    expect(written.filter((text) => !isWritten(text))).toEqual([]);
    expect(rejected.filter(isWritten)).toEqual([]);
  });
});

/** A number with at most `decimals` decimals, from its value in units of the last decimal place. */
const inDecimals = (units: bigint, decimals: number): string => {
  const digits = `${units < 0n ? -units : units}`.padStart(decimals + 1, "0");
  const part = decimals > 0 ? `.${digits.slice(-decimals)}` : "";
  return `${units < 0n ? "-" : ""}${digits.slice(0, digits.length - decimals)}${part}`;
};

describe("numbers", () => {
  test("within bounds of a few decimals can be written with any number of decimals, and no others", () => {
    const bound = fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 4 }));
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.boolean(),
        fc.boolean(),
        fc.nat(9),
        fc.infiniteStream(fc.bigInt(-(10n ** 14n), 10n ** 14n)),
        (a, b, openLow, openHigh, decimals, units) => {
          const [low, high] = [a, b].map(([value, places]) => value / 10 ** places).sort((x, y) => x - y) as [
            number,
            number,
          ];
          if (low === high) return;
          const isWritten = matcher({
            type: "number",
            [openLow ? "exclusiveMinimum" : "minimum"]: low,
            [openHigh ? "exclusiveMaximum" : "maximum"]: high,
          });
          // Bounds have at most 5 digits before the point and 4 after it: nine decimals represent them exactly.
          const [first, last] = [low, high].map((value) => BigInt(Math.round(value * 1e4)) * 10n ** 5n) as [
            bigint,
            bigint,
          ];
          const step = 10n ** BigInt(9 - decimals);
          const near = [first, last].flatMap((value) =>
            [-10n, -1n, 0n, 1n, 10n].map((by) => (value / step + by) * step),
          );
          const within = [...units.take(20)].map(
            (value) => first + (((value % (last - first)) + (last - first)) % (last - first)),
          );
          for (const value of [...near, ...within.map((each) => (each / step) * step), ...units.take(5)].map(
            (each) => (each / step) * step,
          )) {
            const text = inDecimals(value / step, decimals);
            if (/^-0(?:\.0*)?$/.test(text)) continue;
            const isWithin = (openLow ? value > first : value >= first) && (openHigh ? value < last : value <= last);
            if (isWritten(text) !== isWithin) throw new Error(`${text} in ${low}…${high}, ${openLow}, ${openHigh}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("that can be written are within bounds once JSON.parse has read them, for bounds of any size", () => {
    const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
    fc.assert(
      fc.property(anyNumber, anyNumber, fc.integer({ min: 0, max: 17 }), (a, b, places) => {
        const [minimum, maximum] = a < b ? [a, b] : [b, a];
        let isWritten: (text: string) => boolean;
        try {
          isWritten = matcher({ type: "number", exclusiveMinimum: minimum, exclusiveMaximum: maximum });
        } catch (error) {
          // Only a range too narrow for the available decimals is rejected, so never one that contains an integer.
          if (!(error instanceof AppError) || Math.floor(minimum) + 1 < maximum) throw error;
          return;
        }
        for (const value of [minimum, maximum, (minimum + maximum) / 2]) {
          for (const by of [-1, 0, 1]) {
            const text = (value + by * 10 ** -places).toFixed(places);
            if (isWritten(text)) expect(JSON.parse(text)).toBeWithin(minimum, maximum);
            if (isWritten(text)) expect(JSON.parse(text)).not.toBe(minimum);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [
      { minimum: 0, maximum: 1 },
      ["0", "1", "0.5", "1.0", "0.00", "0.12345678901234"],
      ["1.01", "-0.5", "2", "1e0", ".5", "0."],
    ],
    [
      { minimum: -0.5, maximum: 2.25 },
      ["-0.5", "-0.49", "0", "2", "2.25", "2.250", "1.99"],
      ["-0.51", "2.26", "2.251", "3"],
    ],
    [{ exclusiveMinimum: 0, exclusiveMaximum: 1 }, ["0.1", "0.00001", "0.99999"], ["0", "0.0", "1", "1.0"]],
    [{ exclusiveMinimum: 0 }, ["0.5", "1", "123456.75"], ["0", "0.0", "-1"]],
    [{ minimum: 3 }, ["3", "3.0", "3.5", "100.25"], ["2.99", "-3"]],
    [{ maximum: -1.5 }, ["-1.5", "-2", "-1000.5"], ["-1.4", "0"]],
    [{ minimum: 0.1, maximum: 0.2 }, ["0.1", "0.2", "0.15", "0.10"], ["0.09", "0.21", "0", "0.201"]],
    [{ minimum: 0, maximum: 100 }, ["0", "99.99", "100", "100.0"], ["100.1", "101"]],
    [{ minimum: -90, maximum: 90 }, ["-90", "90", "-89.9", "0.5", "-0.5"], ["-90.1", "90.1"]],
    [{ minimum: 1e-7, maximum: 1e-6 }, ["0.0000001", "0.0000005", "0.000001"], ["0.00000009", "0.0000011"]],
    [{ minimum: 2, maximum: 2 }, ["2", "2.0"], ["2.1", "1.9"]],
    [{ minimum: 1, maximum: 5, multipleOf: 1 }, ["1", "5"], ["1.5", "6"]],
    [{ maximum: 1.7976931348623157e308 }, ["5", "-5", "0.25"], []],
    [{ minimum: 0 }, ["0", "0.5", "12"], ["-1", "-0.5"]],
  ])("of %j", (bounds, written, rejected) => {
    const isWritten = matcher({ type: "number", ...bounds });
    expect(written.filter((text) => !isWritten(text))).toEqual([]);
    expect(rejected.filter(isWritten)).toEqual([]);
  });
});

test.each([
  [{ type: "integer", minimum: 5, maximum: 4 }, "schema", "minimum 5, maximum 4"],
  [{ type: "number", minimum: 1, exclusiveMaximum: 1 }, "schema", "exclusiveMaximum 1"],
  [{ type: "integer", minimum: 0.2, maximum: 0.8 }, "schema", "no whole number"],
  [{ type: "integer", minimum: 1e16 }, "schema", "2^53"],
  [{ type: "number", multipleOf: 0.1 }, "schema.multipleOf", "multipleOf"],
  [{ type: "integer", multipleOf: 3 }, "schema.multipleOf", "must be 1"],
  [{ type: "integer", minimum: "1" }, "schema.minimum", "must be a number"],
  [{ type: "integer", exclusiveMinimum: true, minimum: 1 }, "schema.exclusiveMinimum", "must be a number"],
  [{ type: "string", minimum: 1 }, "schema.minimum", "minLength"],
])("%j is rejected by name", (schema, param, part) => {
  const error = rejection(schema);
  expect(error.detail.param).toBe(`response_format.json_schema.${param}`);
  expect(error.message).toContain(part);
});

test("the schema that pydantic writes for a model with bounded fields is enforced", () => {
  const schema = {
    $defs: {
      Size: {
        properties: { width: { exclusiveMinimum: 0, title: "Width", type: "number" } },
        required: ["width"],
        title: "Size",
        type: "object",
        additionalProperties: false,
      },
      Color: { enum: ["red", "blue"], title: "Color", type: "string" },
    },
    additionalProperties: false,
    properties: {
      count: { description: "How many", maximum: 5000, minimum: 1, title: "Count", type: "integer" },
      share: { anyOf: [{ maximum: 1, minimum: 0, type: "number" }, { type: "null" }], default: null, title: "Share" },
      kind: { const: "order", enum: ["order"], title: "Kind", type: "string" },
      color: { $ref: "#/$defs/Color", default: "red" },
      size: { allOf: [{ $ref: "#/$defs/Size" }], description: "How large" },
      scores: {
        items: { exclusiveMaximum: 10, minimum: -10, type: "integer" },
        maxItems: 3,
        title: "Scores",
        type: "array",
      },
    },
    required: ["count", "share", "kind", "color", "size", "scores"],
    title: "Order",
    type: "object",
  };
  const isWritten = matcher(schema);
  const order = { count: 5000, share: null, kind: "order", color: "blue", size: { width: 0.5 }, scores: [-10, 9] };
  const text = (changes: object) => JSON.stringify({ ...order, ...changes });
  expect([{}, { count: 1 }, { share: 0.25 }, { scores: [] }].filter((each) => !isWritten(text(each)))).toEqual([]);
  const wrong = [
    { count: 0 },
    { count: 5001 },
    { share: 1.5 },
    { kind: "x" },
    { color: "green" },
    { size: { width: 0 } },
  ];
  expect([...wrong, { scores: [10] }, { scores: [1, 2, 3, 4] }].filter((each) => isWritten(text(each)))).toEqual([]);
});
