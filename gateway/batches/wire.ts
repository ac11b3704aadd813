import type { BatchRow } from "../../db/batches";
import { toUnixSeconds } from "../wire";
import type { Batch } from "./contract";
import type { EndpointName } from "./endpoints";

const secondsOf = (at: Date | null): number | null => at && toUnixSeconds(at);

export const toBatch = (row: BatchRow): Batch => {
  const { status, tokens } = row;
  const endedAs = (ending: BatchRow["status"]) => (status === ending ? secondsOf(row.endedAt) : null);
  return {
    id: row.id,
    object: "batch",
    endpoint: row.endpoint as EndpointName,
    model: row.model,
    errors: row.errors && { object: "list", data: row.errors },
    input_file_id: row.inputFileId,
    completion_window: "24h",
    status,
    output_file_id: row.outputFileId,
    error_file_id: row.errorFileId,
    created_at: toUnixSeconds(row.createdAt),
    in_progress_at: secondsOf(row.inProgressAt),
    expires_at: toUnixSeconds(row.expiresAt),
    finalizing_at: secondsOf(row.finalizingAt),
    completed_at: endedAs("completed"),
    failed_at: endedAs("failed"),
    expired_at: endedAs("expired"),
    cancelling_at: secondsOf(row.cancellingAt),
    cancelled_at: endedAs("cancelled"),
    request_counts: { total: row.total, completed: row.completed, failed: row.failed },
    usage: {
      input_tokens: tokens.input,
      input_tokens_details: { cached_tokens: tokens.cached },
      output_tokens: tokens.output,
      output_tokens_details: { reasoning_tokens: tokens.reasoning },
      total_tokens: tokens.input + tokens.output,
    },
    metadata: row.metadata,
  };
};
