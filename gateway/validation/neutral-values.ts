import { KindGuard, type TObject, type TSchema } from "@sinclair/typebox";
import { NEUTRAL } from "../contract";

/** Removes neutral fields from a value, in place. */
type Cleaner = (value: unknown) => void;

interface FieldRule {
  /** undefined: the field has no neutral value. */
  isNeutral?: (value: unknown) => boolean;
  clean?: Cleaner;
}

/** null is neutral unless the field's schema accepts it. */
const neutralTest = (field: TSchema): FieldRule["isNeutral"] => {
  const neutral: unknown = field[NEUTRAL];
  if (neutral === "any") return () => true;
  if (!Array.isArray(neutral)) return acceptsNull(field) ? undefined : isNull;
  if (neutral.length === 0) return isNull;
  const simple = new Set(neutral.filter((value) => typeof value !== "object"));
  const composed = neutral.filter((value) => typeof value === "object");
  if (composed.some(isEmpty)) composed.push([], {});
  return (value) =>
    value === null ||
    (typeof value === "object" ? composed.some((one) => Bun.deepEquals(one, value)) : simple.has(value));
};

/** An empty list or object. If one is neutral, so is the other: PHP writes `{}` as `[]`, and Lua writes `[]` as `{}`. */
export const isEmpty = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0;

const isNull = (value: unknown): boolean => value === null;

const acceptsNull = (schema: TSchema): boolean =>
  KindGuard.IsNull(schema) || KindGuard.IsUnknown(schema) || variantsOf(schema).some(acceptsNull);

const variantsOf = (schema: TSchema): TSchema[] => (Array.isArray(schema.anyOf) ? schema.anyOf : []);

const withVariants = (schema: TSchema): TSchema[] => [schema, ...variantsOf(schema).flatMap(withVariants)];

type Rules = ReadonlyMap<string, FieldRule>;
type Test = NonNullable<FieldRule["isNeutral"]>;

const anyOf = (tests: Test[]): Test | undefined =>
  tests.length < 2 ? tests[0] : (value) => tests.some((test) => test(value));

/**
 * A field that several variants of a union share may be removed if one variant lists its value as neutral and none
 * requires it.
 */
const fieldRules = (objects: TObject[]): Rules => {
  const rules = new Map<string, FieldRule>();
  for (const name of new Set(objects.flatMap(({ properties }) => Object.keys(properties)))) {
    const fields = objects.flatMap(({ properties }) => properties[name] ?? []);
    const tests = fields.map((field) => (KindGuard.IsOptional(field) ? neutralTest(field) : undefined));
    const isNeutral = tests.every((test) => test !== undefined) ? anyOf(tests) : undefined;
    const clean = cleanerOf(fields);
    if (isNeutral || clean) rules.set(name, { isNeutral, clean });
  }
  return rules;
};

/** Rules for fields that only other variants have. They may be removed if they are neutral there, or null. */
const foreignRules = (own: TObject[], all: TObject[]): Rules => {
  const known = new Set(own.flatMap(({ properties }) => Object.keys(properties)));
  const rules = new Map<string, FieldRule>();
  for (const name of new Set(all.flatMap(({ properties }) => Object.keys(properties)))) {
    if (known.has(name)) continue;
    const fields = all.flatMap(({ properties }) => properties[name] ?? []);
    const tests = fields.map((field) => (KindGuard.IsOptional(field) ? neutralTest(field) : isNull));
    rules.set(name, { isNeutral: anyOf(tests.filter((test) => test !== undefined)), clean: cleanerOf(fields) });
  }
  return rules;
};

/** The rules for a value that is one of these variants of a union. */
const rulesOf = (own: TObject[], all: TObject[]): Rules => new Map([...foreignRules(own, all), ...fieldRules(own)]);

const literalsOf = (field: TSchema | undefined): unknown[] => {
  if (field === undefined || KindGuard.IsOptional(field)) return [];
  return withVariants(field)
    .filter(KindGuard.IsLiteral)
    .map((literal) => literal.const);
};

/** The rules of a union whose variants all have a field with literal values, such as `role`, by that field's value. */
interface Tagged {
  name: string;
  rules: ReadonlyMap<unknown, Rules>;
}

const taggedBy = (objects: TObject[]): Tagged | undefined => {
  const names = Object.keys(objects[0]?.properties ?? {});
  const name = names.find((each) => objects.every(({ properties }) => literalsOf(properties[each]).length > 0));
  if (name === undefined) return undefined;
  const literals = new Set(objects.flatMap(({ properties }) => literalsOf(properties[name])));
  const variantsWith = (literal: unknown) =>
    objects.filter(({ properties }) => literalsOf(properties[name]).includes(literal));
  return { name, rules: new Map([...literals].map((literal) => [literal, rulesOf(variantsWith(literal), objects)])) };
};

/** A variant of any other union: its required fields and its rules. */
interface Variant {
  required: string[];
  rules: Rules;
}

const variantOf = (object: TObject, all: TObject[]): Variant => ({
  required: Object.entries(object.properties).flatMap(([name, field]) => (KindGuard.IsOptional(field) ? [] : [name])),
  rules: rulesOf([object], all),
});

const mayMean = ({ required }: Variant, fields: Record<string, unknown>): boolean =>
  required.length > 0 && required.every((name) => name in fields);

/** The rules of the only variant that matches a value; undefined if none or several do. */
const onlyMeant = (variants: Variant[], fields: Record<string, unknown>): Rules | undefined => {
  const [meant, ...others] = variants.filter((variant) => mayMean(variant, fields));
  return others.length === 0 ? meant?.rules : undefined;
};

const cleanFields = (objects: TObject[]): Cleaner | undefined => {
  const shared = fieldRules(objects);
  const tagged = objects.length > 1 ? taggedBy(objects) : undefined;
  const variants = objects.length > 1 && !tagged ? objects.map((object) => variantOf(object, objects)) : [];
  const all = [shared, ...(tagged?.rules.values() ?? []), ...variants.map(({ rules }) => rules)];
  if (all.every(({ size }) => size === 0)) return undefined;
  return (value) => {
    const fields = value as Record<string, unknown>;
    const own = tagged ? tagged.rules.get(fields[tagged.name]) : onlyMeant(variants, fields);
    const rules = own ?? shared;
    for (const name in fields) {
      const rule = rules.get(name);
      if (rule === undefined) continue;
      rule.clean?.(fields[name]);
      if (rule.isNeutral?.(fields[name])) delete fields[name];
    }
  };
};

/** One cleaner for all schemas of a value; undefined if none of their fields can be neutral. */
const cleanerOf = (schemas: TSchema[]): Cleaner | undefined => {
  const all = schemas.flatMap(withVariants);
  const cleanObject = cleanFields(all.filter(KindGuard.IsObject));
  const lists = all.filter(KindGuard.IsArray);
  const cleanItem = lists.length > 0 ? cleanerOf(lists.map(({ items }) => items)) : undefined;
  if (!cleanObject && !cleanItem) return undefined;
  return (value) => {
    if (typeof value !== "object" || value === null) return;
    if (!Array.isArray(value)) cleanObject?.(value);
    else if (cleanItem) for (const item of value) cleanItem(item);
  };
};

const cleaners = new WeakMap<TSchema, { clean: Cleaner | undefined }>();

/**
 * Removes every optional field with a neutral value from a body, in place: null, unless the schema accepts it, and the
 * values listed in the field's `neutral`. Validation, the cache key and the node then see the request as if these
 * fields had been omitted.
 */
export const leaveOutNeutral = (schema: TSchema, body: unknown): void => {
  let cleaner = cleaners.get(schema);
  if (!cleaner) {
    cleaner = { clean: cleanerOf([schema]) };
    cleaners.set(schema, cleaner);
  }
  cleaner.clean?.(body);
};
