import { assertCapable, assertFunctions } from "./capabilities";
import { takeExtraFields } from "./extra-fields";
import type { ImageRules } from "./images";
import type { Operation, RequestedModel } from "./request";

export const isFields = (body: unknown): body is Record<string, unknown> =>
  typeof body === "object" && body !== null && !Array.isArray(body);

const PROMPTS = { chat: "messages", completion: "prompt" } as const;

interface Rules {
  /** undefined: unknown. */
  model: RequestedModel | undefined;
  /** Whether a node may still report the model, so that its own fields aren't known yet. */
  isAwaited: boolean;
  images: ImageRules;
}

/**
 * Handles a body that doesn't match the schema: sets aside the fields that only the model's server knows, and throws
 * invalid_request for what the model can't do, even if the value is also invalid.
 */
export const adaptToModel = (
  operation: Operation,
  body: Record<string, unknown>,
  { model, isAwaited, images }: Rules,
): void => {
  if (model) assertCapable(operation, body, model);
  assertFunctions(body);
  images.check(body);
  // Without its prompt, a request is wrong anyway, and an unknown field is probably a misspelled one.
  const isAnyField = isAwaited && Object.hasOwn(body, PROMPTS[operation]);
  takeExtraFields(operation, body, isAnyField ? Object.keys(body) : (model?.capabilities?.extra_fields ?? []));
};
