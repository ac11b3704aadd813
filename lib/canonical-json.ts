/** JSON with sorted property names, so that equal values give equal text. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) {
    let list = "[";
    for (let i = 0; i < value.length; i++) list += i === 0 ? canonicalJson(value[i]) : `,${canonicalJson(value[i])}`;
    return `${list}]`;
  }
  let object = "{";
  for (const name of Object.keys(value).sort()) {
    const inner: unknown = Reflect.get(value, name);
    if (inner === undefined) continue;
    object += `${object.length === 1 ? "" : ","}${JSON.stringify(name)}:${canonicalJson(inner)}`;
  }
  return `${object}}`;
};

/** SHA-256 of the canonical JSON, in hex. Equal values have equal hashes on every machine. */
export const canonicalHash = (value: unknown): string => Bun.SHA256.hash(canonicalJson(value), "hex");
