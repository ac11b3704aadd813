/** Every table, by group. What reads and writes them stands in the repositories of `db/`. */
export * from "./conversations";
export * from "./datasets";
export * from "./evals";
export * from "./idempotency";
export * from "./jobs";
export * from "./keys";
export * from "./maintenance";
export * from "./uploads";
