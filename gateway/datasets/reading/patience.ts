import { AppError } from "../../../lib/errors";

/** How long a step may take, and what ends the wait at once. */
export interface Patience {
  stallMs: number;
  signal?: AbortSignal;
}

/** Waits for one step. Throws deadline_exceeded with `stalled` when it takes too long, client_closed when aborted. */
export const waitFor = async <T>(step: Promise<T>, { stallMs, signal }: Patience, stalled: string): Promise<T> => {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new AppError("deadline_exceeded", stalled)), stallMs);
  const cancel = () => reject(new AppError("client_closed", "Reading the upload was cancelled."));
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    return await Promise.race([step, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
};
