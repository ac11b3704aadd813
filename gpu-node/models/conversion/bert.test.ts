import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGgufFileInfo } from "node-llama-cpp";
import { AppError } from "../../../lib/errors";
import {
  safetensors,
  TINY,
  TINY_VOCABULARY,
  tinyCheckpoint,
  tinyShapes,
  tinyWeights,
  writeCheckpoint,
} from "../../../tests/tiny-checkpoint";
import { convertBert } from "./bert";

let folder: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
  target = join(folder, "model.gguf");
});
afterEach(() => rm(folder, { recursive: true }));

/** Converts the tiny checkpoint with some files changed. */
const convert = async (changes: Record<string, Uint8Array> = {}): Promise<Buffer> => {
  await writeCheckpoint(folder, { ...tinyCheckpoint(), ...changes });
  await convertBert(folder, target, () => {});
  return readFile(target);
};

describe("a converted checkpoint", () => {
  test("has every tensor that llama.cpp needs, matrices quantized and the rest in single precision", async () => {
    await convert();
    const { tensorInfo = [] } = await readGgufFileInfo(target);
    const tensors = new Map(tensorInfo.map((tensor) => [tensor.name, tensor]));
    expect(tensors.size).toBe(5 + 16 * TINY.layers);
    const describe = (name: string) => {
      const tensor = tensors.get(name);
      return [tensor?.ggmlType, ...(tensor?.dimensions ?? []).map(Number)];
    };
    const [F32, Q8_0] = [0, 8];
    expect(describe("token_embd.weight")).toEqual([Q8_0, TINY.hidden, TINY_VOCABULARY.length]);
    expect(describe("position_embd.weight")).toEqual([F32, TINY.hidden, TINY.positions]);
    expect(describe("blk.1.ffn_down.weight")).toEqual([Q8_0, TINY.inner, TINY.hidden]);
    expect(describe("blk.1.ffn_up.bias")).toEqual([F32, TINY.inner]);
  });

  test("has each tensor's weights at the offset in its header", async () => {
    const bytes = await convert();
    const { tensorInfo = [] } = await readGgufFileInfo(target);
    const read = (name: string, count: number) => {
      const at = bytes.byteOffset + Number(tensorInfo.find((tensor) => tensor.name === name)?.fileOffset);
      return new Float32Array(bytes.buffer.slice(at, at + 4 * count));
    };
    const { hidden, positions } = TINY;
    expect(read("position_embd.weight", positions * hidden)).toEqual(
      tinyWeights("embeddings.position_embeddings.weight", positions * hidden),
    );
    expect(read("blk.1.layer_output_norm.bias", hidden)).toEqual(
      tinyWeights("encoder.layer.1.output.LayerNorm.bias", hidden),
    );
  });

  test("has the vocabulary as llama.cpp spells it, its control tokens and the checkpoint's pooling", async () => {
    await convert({
      "1_Pooling/config.json": Buffer.from('{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false}'),
    });
    const { metadata } = await readGgufFileInfo(target);
    expect(metadata).toMatchObject({
      general: { architecture: "bert" },
      bert: {
        context_length: TINY.positions,
        embedding_length: TINY.hidden,
        feed_forward_length: TINY.inner,
        block_count: TINY.layers,
        attention: { head_count: 2, causal: false },
        pooling_type: 2,
      },
      tokenizer: {
        ggml: {
          model: "bert",
          tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2581food", "s", "\u2581constructor"],
          token_type: [3, 3, 3, 3, 3, 1, 1, 1],
          token_type_count: TINY.types,
          cls_token_id: 2,
          seperator_token_id: 3,
          padding_token_id: 0,
        },
      },
    });
  });

  test("is the same, byte by byte, each time", async () => {
    expect(Buffer.compare(await convert(), await convert())).toBe(0);
  });
});

describe("a checkpoint that can't be converted is rejected with the reason", () => {
  const { config, shapes } = {
    config: (changes: object) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(String(tinyCheckpoint()["config.json"])), ...changes })),
    shapes: (changes: Record<string, number[]>) => safetensors({ ...tinyShapes(), ...changes }),
  };
  const { "pooler.dense.weight": _, "embeddings.LayerNorm.bias": __, ...withoutBias } = tinyShapes();
  const wholeWeights = safetensors(tinyShapes());

  test.each<[what: string, words: string, changes: Record<string, Uint8Array>]>([
    ["another architecture", "model_type", { "config.json": config({ model_type: "roberta" }) }],
    ["another activation", "hidden_act", { "config.json": config({ hidden_act: "relu" }) }],
    ["rows that are no whole blocks", "hidden_size", { "config.json": config({ hidden_size: 40 }) }],
    ["a vocabulary of another length", "9 tokens", { "vocab.txt": Buffer.from("a\nb\nc\nd\ne\nf\ng\nh\ni\n") }],
    ["a vocabulary without control tokens", "[CLS]", { "vocab.txt": Buffer.from("a\nb\nc\nd\ne\nf\ng\nh\n") }],
    ["cased letters", "do_lower_case", { "tokenizer_config.json": Buffer.from('{"do_lower_case":false}') }],
    [
      "another pooling",
      "pooling",
      { "1_Pooling/config.json": Buffer.from('{"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":false}') },
    ],
    [
      "a tensor that is missing",
      "embeddings.LayerNorm.bias is missing",
      { "model.safetensors": safetensors(withoutBias) },
    ],
    [
      "a tensor of another shape",
      "embeddings.LayerNorm.bias is F32 [7]",
      { "model.safetensors": shapes({ "embeddings.LayerNorm.bias": [7] }) },
    ],
    ["half precision", "is F16", { "model.safetensors": safetensors(tinyShapes(), "F16") }],
    ["weights that are cut off", "can't be read", { "model.safetensors": wholeWeights.subarray(0, -4) }],
    ["an empty file", "its header", { "model.safetensors": Buffer.alloc(0) }],
    ["a header without end", "its header", { "model.safetensors": Buffer.alloc(64, 0xff) }],
    [
      "a header that is no JSON",
      "its header",
      { "model.safetensors": Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("oops")]) },
    ],
  ])("%s", async (_what, words, changes) => {
    const error = await convert(changes).catch((thrown: unknown) => thrown);
    if (!(error instanceof AppError)) throw error;
    expect(error.kind).toBe("invalid_request");
    expect(error.message).toContain(words);
  });
});
