/** Kind of the job that runs the requests of a batch. */
export const BATCH_REQUESTS_KIND = "batch_requests";

export interface BatchRequestsPayload {
  batchId: string;
  /** Set if the job continues a batch whose earlier job failed. Its other requests then end with this error. */
  error?: { code: string; message: string };
}
