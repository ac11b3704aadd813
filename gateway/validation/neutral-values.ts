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
  if (!Array.isArray(neutral)) return acceptsNull(field) ? undefined : (value) => value === null;
  if (neutral.length === 0) return (value) => value === null;
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

/**
 * A variant of a union: the fields that identify it (with their literal values, if any), its own rules, and the other
 * variants' rules for fields it lacks.
 */
interface Variant {
  required: [name: string, literals: ReadonlySet<unknown> | undefined][];
  rules: Rules;
}

const variantOf = (object: TObject, shared: Rules): Variant => {
  const foreign = [...shared].filter(([name]) => !Object.hasOwn(object.properties, name));
  const required = Object.entries(object.properties).flatMap(([name, field]): Variant["required"] => {
    if (KindGuard.IsOptional(field)) return [];
    const literals = withVariants(field).filter(KindGuard.IsLiteral);
    return [[name, literals.length > 0 ? new Set(literals.map((literal) => literal.const)) : undefined]];
  });
  return { required, rules: new Map([...foreign, ...fieldRules([object])]) };
};

const mayMean = ({ required }: Variant, fields: Record<string, unknown>): boolean => {
  for (const [name, literals] of required) {
    if (literals ? !literals.has(fields[name]) : !(name in fields)) return false;
  }
  return required.length > 0;
};

/** The only variant that matches a value; undefined if none or several do. */
const onlyMeant = (variants: Variant[], fields: Record<string, unknown>): Variant | undefined => {
  let only: Variant | undefined;
  for (const variant of variants) {
    if (!mayMean(variant, fields)) continue;
    if (only) return undefined;
    only = variant;
  }
  return only;
};

const cleanFields = (objects: TObject[]): Cleaner | undefined => {
  const shared = fieldRules(objects);
  const variants = objects.length > 1 ? objects.map((object) => variantOf(object, shared)) : [];
  if ([shared, ...variants.map(({ rules }) => rules)].every(({ size }) => size === 0)) return undefined;
  return (value) => {
    const fields = value as Record<string, unknown>;
    const rules = onlyMeant(variants, fields)?.rules ?? shared;
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
