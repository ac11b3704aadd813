import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { type Call, callerOf, timeLeft } from "../call";
import type { Models } from "../models/registry";
import type { Engine } from "../ports/engine";
import type { TokenCounts, TokenizeRequest } from "./contract";
import { prefixOf } from "./inputs";

const NodeCounts = Type.Object({ counts: Type.Array(Type.Integer({ minimum: 0 })) });

interface TokenDeps {
  engine: Engine;
  models: Pick<Models, "list" | "resolve">;
  /** Timeout for a complete response, in milliseconds. */
  totalMs: number;
}

export type TokenCounter = ReturnType<typeof createTokenCounter>;

/** Counts tokens of texts on the nodes. */
export const createTokenCounter = ({ engine, models, totalMs }: TokenDeps) => ({
  /** Throws AppError as `Engine.request` does, and model_not_found. */
  async count(call: Call, { input, model: name, input_type }: TokenizeRequest): Promise<TokenCounts> {
    const kind = models.list(call.principal).find(({ id }) => id === name)?.kind ?? "embedding";
    const model = models.resolve(call.principal, kind, name);
    const { id } = model;
    const prefix = prefixOf(model, input_type);
    const texts = [input].flat().map((text) => prefix + text);
    const reply = await engine.request({
      route: "/tokenize",
      model: id,
      body: JSON.stringify({ model: id, prompt: texts }),
      stream: false,
      ...callerOf(call),
      ...timeLeft(call, totalMs),
      signal: call.signal,
    });
    const answer: unknown = JSON.parse(Buffer.concat(await Array.fromAsync(reply.body)).toString());
    if (!Value.Check(NodeCounts, answer) || answer.counts.length !== texts.length) throw brokenAnswer();
    return { model: id, data: answer.counts.map((count) => ({ count })) };
  },
});

const brokenAnswer = (): AppError =>
  new AppError("upstream_error", "The node did not count the tokens of every text. Update the node.", {
    source: "node",
  });
