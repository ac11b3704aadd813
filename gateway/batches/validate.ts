import type { BatchProblem } from "../../db/batches";
import { AppError, toAppError } from "../../lib/errors";
import { isObject } from "../../lib/is-object";
import type { ImageRules } from "../chat/images";
import { parseJson, withoutNulEscapes } from "../validation/json";
import { unknownField } from "../validation/problems";
import { checkRequest, type EndpointName, type KeyModels } from "./endpoints";
import type { FileLine } from "./lines";

/** Validation stops after this many problems. */
const MAX_PROBLEMS = 100;
const MAX_CUSTOM_ID = 512;
const FIELDS = ["custom_id", "method", "url", "body"] as const;

export interface FileRules {
  endpoint: EndpointName;
  models: KeyModels;
  images: ImageRules;
  maxRequests: number;
  maxLineBytes: number;
}

export interface ValidatedFile {
  /** Number of requests. */
  total: number;
  /** The model that every request names; null if they name several models or none. */
  model: string | null;
  problems: BatchProblem[];
}

/** Checks every line of a batch's input file. Returns the problems instead of throwing them. */
export const validateFile = async (lines: AsyncIterable<FileLine>, rules: FileRules): Promise<ValidatedFile> => {
  const problems: BatchProblem[] = [];
  const customIds = new Map<string, number>();
  const models = new Set<string | null>();
  let total = 0;
  for await (const found of lines) {
    if (++total > rules.maxRequests) {
      const message = `The file has more than ${rules.maxRequests} requests. Split it, or raise GROUNDWIRE_BATCH_MAX_REQUESTS.`;
      problems.push({ code: "too_many_requests", line: null, message, param: null });
      break;
    }
    try {
      const { customId, model } = checkLine(found, rules);
      const earlier = customIds.get(customId);
      if (earlier !== undefined) {
        const message = `The custom_id of this line is already used on line ${earlier}. Each request needs its own.`;
        throw new LineProblem("duplicate_custom_id", message, "custom_id");
      }
      customIds.set(customId, found.line);
      models.add(model);
    } catch (thrown) {
      problems.push({ ...problemOf(thrown), line: found.line });
    }
    if (problems.length === MAX_PROBLEMS) break;
  }
  if (total === 0) {
    const message = "The file has no requests. Write one JSON object per line.";
    problems.push({ code: "empty_file", line: null, message, param: null });
  }
  const [model = null, ...others] = models;
  return { total, model: others.length === 0 ? model : null, problems };
};

class LineProblem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message);
  }
}

const problemOf = (thrown: unknown): Omit<BatchProblem, "line"> => {
  if (thrown instanceof LineProblem) return { code: thrown.code, message: thrown.message, param: thrown.param };
  const { kind, message, detail } = toAppError(thrown);
  if (kind === "internal") throw thrown;
  return { code: kind, message, param: detail.param === undefined ? null : `body.${detail.param}` };
};

const checkLine = (found: FileLine, rules: FileRules): { customId: string; model: string | null } => {
  if ("problem" in found) throw unreadable(found.problem, rules.maxLineBytes);
  const value = parseLine(found.text);
  const unknown = Object.keys(value).find((name) => !(FIELDS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new LineProblem("unknown_parameter", unknownField(unknown, "", FIELDS), unknown);
  const missing = FIELDS.find((name) => value[name] === undefined);
  if (missing !== undefined) throw new LineProblem("missing_required_parameter", `${missing} is missing.`, missing);
  const { custom_id: customId, method, url, body } = value;
  if (typeof customId !== "string" || customId === "" || customId.length > MAX_CUSTOM_ID) {
    const message = `custom_id must be a string of 1 to ${MAX_CUSTOM_ID} characters.`;
    throw new LineProblem("invalid_custom_id", message, "custom_id");
  }
  if (method !== "POST") throw new LineProblem("invalid_method", 'method must be "POST".', "method");
  if (url !== rules.endpoint) {
    throw new LineProblem("invalid_url", `url must be "${rules.endpoint}", the endpoint of the batch.`, "url");
  }
  if (!isObject(body)) throw new LineProblem("invalid_request", "body must be an object.", "body");
  checkRequest(rules.endpoint, body, rules);
  return { customId, model: typeof body.model === "string" ? body.model : null };
};

const unreadable = (problem: "too_long" | "not_utf8", maxBytes: number): LineProblem =>
  problem === "too_long"
    ? new LineProblem("line_too_long", `The line is longer than ${maxBytes} bytes. Send a shorter request.`)
    : new LineProblem("invalid_json_line", "The line is not valid UTF-8. Save the file as UTF-8.");

const parseLine = (text: string): Record<string, unknown> => {
  try {
    const value = parseJson(withoutNulEscapes(text));
    if (isObject(value)) return value;
  } catch (thrown) {
    const isSyntax = thrown instanceof AppError && thrown.cause instanceof SyntaxError;
    if (!isSyntax) throw new LineProblem("invalid_json_line", toAppError(thrown).message);
  }
  throw new LineProblem("invalid_json_line", "The line is not a JSON object. Write each request on one line.");
};
