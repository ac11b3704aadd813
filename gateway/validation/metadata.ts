import { AppError } from "../../lib/errors";

const NAME = /^.{1,64}$/u;

/**
 * Checks the names in the `metadata` of OpenAI's requests. The schema of a record ignores their length, and the values of
 * names with line breaks. Throws invalid_request.
 */
export const checkMetadataNames = (metadata: Readonly<Record<string, unknown>> | null | undefined): void => {
  if (Object.keys(metadata ?? {}).every((name) => NAME.test(name))) return;
  throw new AppError("invalid_request", "Names in metadata must be one line of 1 to 64 characters. Shorten them.", {
    param: "metadata",
  });
};
