/** Kind of the job that runs the requests of a batch. */
export const BATCH_REQUESTS_KIND = "batch_requests";

export interface BatchRequestsPayload {
  batchId: string;
  /** Set if an earlier job of the batch failed. The remaining requests then get this error instead of being run. */
  error?: { code: string; message: string };
}
