const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value that has no form in JSON. */
export const UNREADABLE = Symbol("unreadable");

/**
 * A value of Parquet as JSON: bytes are text, times ISO 8601, whole numbers beyond 2^53 and what is not a finite number
 * text. UNREADABLE for bytes that are not UTF-8 and for times that are none.
 */
export const toJson = (value: unknown): unknown => {
  switch (typeof value) {
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      return value ?? null;
  }
};

const objectToJson = (value: object): unknown => {
  if (value instanceof Uint8Array) return decode(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? UNREADABLE : value.toISOString();
  if (Array.isArray(value)) return allReadable(value.map(toJson), (items) => items);
  const names = Object.keys(value);
  return allReadable(Object.values(value).map(toJson), (items) =>
    Object.fromEntries(names.map((name, i) => [name, items[i]])),
  );
};

const allReadable = (items: unknown[], build: (items: unknown[]) => unknown): unknown =>
  items.includes(UNREADABLE) ? UNREADABLE : build(items);

const decode = (bytes: Uint8Array): unknown => {
  try {
    return decoder.decode(bytes);
  } catch {
    return UNREADABLE;
  }
};

/** What a value takes in memory for itself, at least: a file can hold a million empty texts in a few bytes. */
const VALUE_BYTES = 16;

/** Bytes of a value with all that is in it, as it is before its texts are decoded. */
export const countBytes = (value: unknown): number => {
  if (value instanceof Uint8Array) return VALUE_BYTES + value.length;
  if (typeof value === "string") return VALUE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  return Object.values(value).reduce((sum: number, inner) => sum + countBytes(inner), VALUE_BYTES);
};
