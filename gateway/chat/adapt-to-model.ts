import { assertCapable, assertFunctions } from "./capabilities";
import { takeExtraFields } from "./extra-fields";
import type { ImageRules } from "./images";
import type { Operation, RequestedModel } from "./request";

const PROMPTS = { chat: "messages", completion: "prompt" } as const;

interface Rules {
  /** Undefined if the model is unknown. */
  model: RequestedModel | undefined;
  /** Whether a node may still report the model. Until then, the fields that its server accepts are unknown. */
  isAwaited: boolean;
  images: ImageRules;
}

/**
 * Adapts a body that doesn't match the schema to its model. Sets aside the fields that only the model's server knows.
 * Throws invalid_request for fields that the model doesn't support, even if their values are invalid too.
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
