import type { ErrorEnvelope } from "../../lib/errors";

/** The error in the body of a response. `/mcp` sends it as the `data` of a JSON-RPC error. */
export const errorIn = (body: unknown): ErrorEnvelope["error"] => {
  const { error } = body as { error: ErrorEnvelope["error"] & { data?: ErrorEnvelope["error"] } };
  return error.data ?? error;
};

export const errorOf = async (response: Response): Promise<ErrorEnvelope["error"]> => errorIn(await response.json());
