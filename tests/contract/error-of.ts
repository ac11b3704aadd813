import type { ErrorEnvelope } from "../../lib/errors";

type ErrorFields = ErrorEnvelope["error"];

/**
 * The error in a response body. `/mcp` sends it as the `data` of a JSON-RPC error, and `/v1/messages` sends some of its
 * fields in Anthropic's format.
 */
export const errorIn = (body: unknown): ErrorFields => {
  const { error, request_id } = body as { error: ErrorFields & { data?: ErrorFields }; request_id?: string };
  if (request_id === undefined) return error.data ?? error;
  const { error_code, param } = error.details as unknown as { error_code: ErrorFields["code"]; param: string | null };
  return { ...error, code: error_code, param, request_id };
};

export const errorOf = async (response: Response): Promise<ErrorEnvelope["error"]> => errorIn(await response.json());
