import { fieldTable, link, meaningOf, type Schema, typeOf } from "./schema-text";

interface Media {
  schema?: Schema;
  example?: unknown;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { $ref?: string; name: string; in: string; required?: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description?: string; content?: Record<string, Media> }>;
}

/** The OpenAPI document, as far as the reference shows it. */
export interface ApiDocument {
  info: { description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    parameters?: Record<string, NonNullable<Operation["parameters"]>[number]>;
  };
}

const MAX_LINE = 110;

const json = (value: unknown): string => {
  const line = JSON.stringify(value);
  return `\`\`\`json\n${line.length <= MAX_LINE ? line : JSON.stringify(value, null, 2)}\n\`\`\``;
};

/** Renders `docs/api-reference.md`: every operation by tag, then every schema. */
export const renderReference = (document: ApiDocument): string => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ title: `${method.toUpperCase()} ${path}`, operation })),
  );
  const sections = document.tags.flatMap(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags?.[0] === name);
    if (own.length === 0) return [];
    return [
      `## Routes: ${name}`,
      description,
      ...own.map(({ title, operation }) => renderOperation(title, operation, document)),
    ];
  });
  const schemas = Object.entries(document.components.schemas).sort(([a], [b]) => a.localeCompare(b, "en"));
  return `${[
    "# API reference",
    "Generated from the gateway's OpenAPI document by `bun run api-reference`. A running gateway serves the document at `/openapi.json`, and a viewer for it at `/docs`. [api.md](api.md) explains the concepts.",
    document.info.description,
    "A * marks required fields. Every operation can also return 500 `internal`, and those with a key 401 and 429.",
    ...sections,
    "## Schemas",
    ...schemas.map(([name, schema]) => renderSchema(name, schema)),
  ].join("\n\n")}\n`;
};

const renderOperation = (title: string, operation: Operation, { components }: ApiDocument): string => {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const known = parameters.map((parameter) => components.parameters?.[nameOf(parameter.$ref)] ?? parameter);
  const rows = known.map(
    ({ name, in: place, required, description: about, schema }) =>
      `| \`${name}\`${required ? " *" : ""} | ${place} | ${typeOf(schema)} | ${meaningOf({ ...schema, description: about ?? schema.description })} |`,
  );
  const parts = [
    `### ${title}`,
    [summary && `**${summary}.**`, description].filter(Boolean).join(" "),
    ...(rows.length > 0 ? [["| parameter | in | type | meaning |", "|---|---|---|---|", ...rows].join("\n")] : []),
    ...(requestBody ? [renderBody(requestBody.content)] : []),
    renderResponses(responses),
  ];
  return parts.join("\n\n");
};

const nameOf = (ref = ""): string => ref.slice(ref.lastIndexOf("/") + 1);

const renderBody = (content: Record<string, Media>): string => {
  const lines = Object.entries(content).map(([type, { schema }]) => `- ${type}: ${schema ? typeOf(schema) : "bytes"}`);
  const example = Object.values(content).find((media) => media.example !== undefined)?.example;
  return ["Body:", lines.join("\n"), ...(example === undefined ? [] : [json(example)])].join("\n\n");
};

const renderResponses = (responses: Operation["responses"]): string => {
  const lines = Object.entries(responses).flatMap(([status, { content }]) => {
    if (!/^[23]/.test(status)) return [];
    const bodies = Object.entries(content ?? {}).map(([type, { schema }]) => bodyOf(type, schema));
    return [`- ${status}: ${bodies.join(", or ") || "no body"}`];
  });
  const errors = Object.keys(responses).filter((status) => /^[45]/.test(status) && status !== "500");
  const byType = Map.groupBy(errors, (status) => {
    const schema = responses[status]?.content?.["application/json"]?.schema;
    return schema ? typeOf(schema) : link("ErrorEnvelope");
  });
  const failures = [...byType].map(([type, statuses]) => `- ${statuses.join(", ")}: ${type}`);
  return ["Responses:", [...lines, ...failures].join("\n")].join("\n\n");
};

const bodyOf = (type: string, schema: Schema | undefined): string => {
  if (type === "text/event-stream") {
    const { data } = schema?.properties ?? {};
    const [first] = data?.anyOf ?? [];
    const event = (first as { contentSchema?: Schema } | undefined)?.contentSchema;
    return event ? `Server-Sent Events of ${typeOf(event)}` : type;
  }
  return schema?.$ref || schema?.anyOf || schema?.items ? typeOf(schema) : type;
};

const renderSchema = (name: string, schema: Schema): string => {
  const limits = meaningOf({ ...schema, description: "" });
  const content = fieldTable(schema) ?? `Type: ${typeOf(schema)}${limits && ` (${limits})`}`;
  return [`### ${name}`, ...(schema.description ? [schema.description] : []), content].join("\n\n");
};
