/** A new id; ids sort by the time they were made. */
export const newId = (prefix: "chat" | "msg"): string => `${prefix}_${Bun.randomUUIDv7().replaceAll("-", "")}`;
