import { ownValue } from "../../../../lib/own-value";

/**
 * Whether a finite value matches: with a schema that requires itself, a model would write until its tokens are used up.
 * The smallest value never needs the same definition inside itself, so a definition met again on its own path means no.
 */
export const canEnd = (schema: unknown, root: unknown): boolean => {
  const finite = new Set<string>();

  const visit = (node: unknown, path: ReadonlySet<string>): boolean => {
    if (typeof node !== "object" || node === null) return true;
    const { $ref, anyOf, allOf, required, properties, items, minItems, prefixItems } = node as Record<string, unknown>;
    if (typeof $ref === "string") {
      if (finite.has($ref)) return true;
      if (path.has($ref)) return false;
      const ends = visit(resolveReference(root, $ref), new Set([...path, $ref]));
      if (ends) finite.add($ref);
      return ends;
    }
    if (Array.isArray(allOf)) return allOf.every((part) => visit(part, path));
    if (Array.isArray(anyOf)) return anyOf.some((option) => visit(option, path));
    const needed: unknown[] = Array.isArray(prefixItems) ? [...prefixItems] : [];
    if (typeof minItems === "number" && minItems > needed.length) needed.push(items);
    if (Array.isArray(required) && typeof properties === "object" && properties !== null) {
      needed.push(...Object.entries(properties).flatMap(([name, of]) => (required.includes(name) ? [of] : [])));
    }
    return needed.every((child) => visit(child, path));
  };

  return visit(schema, new Set(["#"]));
};

/**
 * The schema that a local reference names: "#", "#/$defs/x", "#/properties/y". The part after "#" is a JSON Pointer,
 * percent-encoded (RFC 6901, section 6). Undefined if the schema has no such part.
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
