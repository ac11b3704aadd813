type IdPrefix = "chat" | "msg" | "ds" | "rev" | "run" | "res" | "label" | "fb" | "job" | "upload" | "worker";

/** A new id; ids sort by the time they were made. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${Bun.randomUUIDv7().replaceAll("-", "")}`;
