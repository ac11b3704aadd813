import type { BatchResult, BatchTokens } from "../../db/batches";
import { newId } from "../../lib/ids";

export const NO_TOKENS: BatchTokens = { input: 0, cached: 0, output: 0, reasoning: 0 };

/** One request of a batch. */
export interface BatchRequest {
  /** Line number in the input file, from 1. */
  line: number;
  customId: string;
  body: Record<string, unknown>;
}

/** Parses a line that has been validated. */
export const toRequest = (line: number, text: string): BatchRequest => {
  const { custom_id: customId, body } = JSON.parse(text);
  return { line, customId, body };
};

interface Response {
  status: number;
  requestId: string;
  body: unknown;
}

/** The result of a request that got a response, whatever its status. */
export const toResult = (request: BatchRequest, { status, requestId, body }: Response): BatchResult => {
  const response = { status_code: status, request_id: requestId, body };
  const isError = status >= 400;
  const output = toOutput(request, { response, error: null });
  return { line: request.line, isError, output, tokens: isError ? NO_TOKENS : tokensOf(body) };
};

/** The result of a request that was not run. */
export const toErrorResult = (
  request: BatchRequest,
  { code, message }: { code: string; message: string },
): BatchResult => ({
  line: request.line,
  isError: true,
  output: toOutput(request, { response: null, error: { code, message } }),
  tokens: NO_TOKENS,
});

const toOutput = ({ customId }: BatchRequest, outcome: { response: object | null; error: object | null }): string =>
  JSON.stringify({ id: newId("batch_req"), custom_id: customId, ...outcome });

interface UsageInBody {
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number | null } | null;
    completion_tokens_details?: { reasoning_tokens?: number | null } | null;
  };
}

const tokensOf = (body: unknown): BatchTokens => {
  const { usage } = body as UsageInBody;
  return {
    input: usage?.prompt_tokens ?? 0,
    cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    output: usage?.completion_tokens ?? 0,
    reasoning: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
  };
};
