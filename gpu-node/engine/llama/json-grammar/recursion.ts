import { ownValue } from "../../../../lib/own-value";

/**
 * Whether a finite value can match the schema. With a schema that always contains itself, a model would write until
 * its tokens are used up. A definition can end if it needs only definitions that can end. These are found in rounds,
 * because following every path takes exponential time.
 */
export const canEnd = (schema: unknown): boolean => {
  const finite = new Set<string>();
  const undecided = new Map<string, unknown>();

  const ends = (node: unknown): boolean => {
    if (typeof node !== "object" || node === null) return true;
    const { $ref, anyOf, allOf, required, properties, items, minItems, prefixItems } = node as Record<string, unknown>;
    if (typeof $ref === "string") {
      if (finite.has($ref)) return true;
      if (!undecided.has($ref)) undecided.set($ref, resolveReference(schema, $ref));
      return false;
    }
    if (Array.isArray(allOf)) return allOf.every(ends);
    if (Array.isArray(anyOf)) return anyOf.some(ends);
    const needed: unknown[] = Array.isArray(prefixItems) ? [...prefixItems] : [];
    if (typeof minItems === "number" && minItems > needed.length) needed.push(items);
    if (Array.isArray(required) && typeof properties === "object" && properties !== null) {
      needed.push(...Object.entries(properties).flatMap(([name, of]) => (required.includes(name) ? [of] : [])));
    }
    return needed.every(ends);
  };

  while (!ends(schema)) {
    const known = finite.size;
    const found = undecided.size;
    // Last definitions first, because definitions usually refer to later ones.
    for (const [$ref, definition] of [...undecided].reverse()) {
      if (!ends(definition)) continue;
      finite.add($ref);
      undecided.delete($ref);
    }
    if (finite.size === known && undecided.size === found) return false;
  }
  return true;
};

/**
 * Resolves a local reference: "#", "#/$defs/x", "#/properties/y". The part after "#" is a percent-encoded JSON Pointer
 * (RFC 6901, section 6). Returns undefined if the schema has no such part.
 */
export const resolveReference = (root: unknown, reference: unknown): unknown => {
  if (typeof reference !== "string" || !/^#(\/|$)/.test(reference)) return undefined;
  let pointer: string;
  try {
    pointer = decodeURIComponent(reference.slice(1));
  } catch {
    return undefined;
  }
  const names = pointer.split("/").slice(1);
  return names.reduce<unknown>((value, name) => {
    if (typeof value !== "object" || value === null) return undefined;
    return ownValue(value as Record<string, unknown>, name.replaceAll("~1", "/").replaceAll("~0", "~"));
  }, root);
};
