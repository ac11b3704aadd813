/** The fields of a sample that columns fill. A column may also fill a part of metadata, as `metadata.<name>`. */
export const FIELDS = ["key", "input", "references", "contexts", "output", "group", "tags", "metadata"] as const;
export type Field = (typeof FIELDS)[number];

/** Fields that hold several texts: several columns can fill them. */
export const LIST_FIELDS: ReadonlySet<string> = new Set<Field>(["references", "contexts", "tags"]);

export const METADATA_PREFIX = "metadata.";
export const MAX_METADATA_NAMES = 64;
export const MAX_METADATA_NAME_LENGTH = 64;

export const isField = (name: string): name is Field => FIELDS.some((field) => field === name);
