import { AppError } from "../../lib/errors";
import type { SamplingDefaults } from "../models/catalogue";
import type { Generation } from "./engine";

/** What a request asks of the sampler, complete and checked. */
export interface Sampling {
  temperature: number;
  topP: number;
  /** 0: all tokens. */
  topK: number;
  minP: number;
  /** 32 bits, as the engine takes it. */
  seed: number;
  presencePenalty: number;
  frequencyPenalty: number;
}

export interface LlamaParams {
  sampling: Sampling;
  stops: string[];
  /** Undefined: as much as the context has left. */
  maxTokens?: number;
  /** A JSON schema that the answer has to fit; `{ type: "object" }` for `json_object`. */
  schema?: unknown;
  /** Alternatives to report beside each token; undefined: no log probabilities. */
  topLogprobs?: number;
}

type Body = Generation["body"];

/** Parameters that ask for nothing in these values, and what the engine can't do with any other. */
const REFUSED: Record<string, { harmless: (value: unknown) => boolean; why: string }> = {
  n: { harmless: (value) => value === 1, why: "gives one answer per request" },
  best_of: { harmless: (value) => value === 1, why: "gives one answer per request" },
  echo: { harmless: (value) => value === false, why: "doesn't repeat the prompt" },
  suffix: { harmless: (value) => value === "", why: "can't fill in text before a suffix" },
  store: { harmless: (value) => value === false, why: "stores no answers" },
  tools: { harmless: isEmpty, why: "can't call tools" },
  tool_choice: { harmless: (value) => value === "none", why: "can't call tools" },
  parallel_tool_calls: { harmless: () => false, why: "can't call tools" },
  functions: { harmless: isEmpty, why: "can't call functions" },
  function_call: { harmless: (value) => value === "none", why: "can't call functions" },
  logit_bias: { harmless: isEmpty, why: "can't bias tokens" },
  audio: { harmless: () => false, why: "makes text only" },
  modalities: { harmless: (value) => JSON.stringify(value) === '["text"]', why: "makes text only" },
};

/** Parameters that are read here or elsewhere, or that change nothing about the answer. */
const KNOWN = new Set(
  (
    "model messages prompt max_tokens max_completion_tokens temperature top_p top_k min_p seed stop presence_penalty " +
    "frequency_penalty response_format logprobs top_logprobs stream stream_options user metadata"
  ).split(" "),
);

/** Reads OpenAI's parameters. Throws invalid_request naming what is wrong or can't be honoured. */
export const readParams = (body: Body, operation: Generation["operation"], defaults: SamplingDefaults): LlamaParams => {
  refuseUnknown(body);
  const number = (name: string, minimum: number, maximum: number): number | undefined =>
    readNumber(body, name, minimum, maximum, false);
  const whole = (name: string, minimum: number, maximum: number): number | undefined =>
    readNumber(body, name, minimum, maximum, true);
  const seed = whole("seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return {
    sampling: {
      temperature: number("temperature", 0, 2) ?? defaults.temperature ?? 1,
      topP: number("top_p", 0, 1) ?? defaults.topP ?? 1,
      topK: whole("top_k", 0, 1_000_000) ?? 0,
      minP: number("min_p", 0, 1) ?? 0,
      seed: seed === undefined ? randomSeed() : engineSeed(seed),
      presencePenalty: number("presence_penalty", -2, 2) ?? 0,
      frequencyPenalty: number("frequency_penalty", -2, 2) ?? 0,
    },
    stops: readStops(body.stop),
    maxTokens: whole("max_completion_tokens", 1, 1_000_000) ?? whole("max_tokens", 1, 1_000_000),
    schema: readSchema(body.response_format),
    topLogprobs: readLogprobs(body, operation, whole),
  };
};

const refuseUnknown = (body: Body): void => {
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined || KNOWN.has(name)) continue;
    const refused = REFUSED[name];
    if (!refused) throw wrong(name, `Unknown parameter: ${name}.`);
    if (!refused.harmless(value)) {
      throw wrong(name, `${name} isn't supported: the embedded engine ${refused.why}. Leave it out.`);
    }
  }
};

const readNumber = (
  body: Body,
  name: string,
  minimum: number,
  maximum: number,
  isWhole: boolean,
): number | undefined => {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  const fits = typeof value === "number" && value >= minimum && value <= maximum;
  if (!fits || (isWhole && !Number.isInteger(value))) {
    const kind = isWhole ? "a whole number" : "a number";
    throw wrong(name, `${name} must be ${kind} from ${minimum} to ${maximum}.`);
  }
  return value;
};

const readStops = (stop: unknown): string[] => {
  const stops = stop === null || stop === undefined ? [] : Array.isArray(stop) ? stop : [stop];
  if (stops.length > 4 || !stops.every((text) => typeof text === "string" && text.length > 0)) {
    throw wrong("stop", "stop must be a string or up to four strings, none of them empty.");
  }
  return stops;
};

const readSchema = (format: unknown): unknown => {
  if (format === null || format === undefined) return undefined;
  const { type, json_schema: named } = isRecord(format) ? format : {};
  if (type === "text") return undefined;
  if (type === "json_object") return { type: "object" };
  if (type !== "json_schema") {
    throw wrong("response_format.type", 'response_format.type must be "text", "json_object" or "json_schema".');
  }
  if (!isRecord(named) || named.schema === undefined) {
    throw wrong("response_format.json_schema", "response_format.json_schema.schema must hold a JSON schema.");
  }
  return named.schema;
};

/** Chat says `logprobs: true, top_logprobs: 5`, completions say `logprobs: 5`. */
const readLogprobs = (
  body: Body,
  operation: Generation["operation"],
  whole: (name: string, minimum: number, maximum: number) => number | undefined,
): number | undefined => {
  if (operation === "completion") return whole("logprobs", 0, 5);
  const wanted = body.logprobs ?? false;
  if (typeof wanted !== "boolean") throw wrong("logprobs", "logprobs must be true or false.");
  const top = whole("top_logprobs", 0, 20);
  if (top !== undefined && !wanted) throw wrong("top_logprobs", "top_logprobs needs logprobs: true.");
  return wanted ? (top ?? 0) : undefined;
};

/** The engine takes 32 bits, and reads the highest value as "choose one". */
const engineSeed = (seed: number): number => Math.min(Number(BigInt.asUintN(32, BigInt(seed))), 0xffff_fffe);
const randomSeed = (): number => engineSeed(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const wrong = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });
