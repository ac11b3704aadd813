/** Throws invalid_request for what is no JSON Schema for samples. The validator is large: it comes with the first schema. */
export const assertSampleSchema = async (schema: Record<string, unknown>): Promise<void> => {
  const { checkSampleSchema } = await import("./reading/sample-schema");
  checkSampleSchema(schema);
};
