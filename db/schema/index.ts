/** Every table, by group. The repositories in `db/` read and write them. */
export * from "./batches";
export * from "./conversations";
export * from "./datasets";
export * from "./evals";
export * from "./jobs";
export * from "./keys";
export * from "./maintenance";
export * from "./metrics";
export * from "./rag";
export * from "./requests";
export * from "./responses";
export * from "./webhooks";
