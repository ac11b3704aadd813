import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { readGgufFileInfo } from "node-llama-cpp";
import { TINY, TINY_VOCABULARY, tinyCheckpoint, tinyWeights, writeCheckpoint } from "../../tests/tiny-checkpoint";
import { convertBert, Q8_0_BYTES, Q8_0_WEIGHTS, quantizeQ8 } from "./convert-bert";

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

  test("has the vocabulary in llama.cpp's spelling, its control tokens and the checkpoint's pooling", async () => {
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

  test("is byte-for-byte the same each time", async () => {
    expect(Buffer.compare(await convert(), await convert())).toBe(0);
  });
});

describe("a checkpoint is refused", () => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const config = (changes: object) => ({
    "config.json": json({ ...JSON.parse(`${tinyCheckpoint()["config.json"]}`), ...changes }),
  });

  test.each<[what: string, files: Record<string, Uint8Array>, words: string]>([
    ["of another architecture", config({ model_type: "xlm-roberta" }), '"xlm-roberta"'],
    ["with another activation", config({ hidden_act: "relu" }), '"relu"'],
    ["with relative positions", config({ position_embedding_type: "relative_key" }), '"relative_key"'],
    ["with more layers than weights", config({ num_hidden_layers: 3 }), "encoder.layer.2"],
    ["that distinguishes case", { "tokenizer_config.json": json({ do_lower_case: false }) }, "lower case"],
    ["that pools by the last token", { "1_Pooling/config.json": json({ pooling_mode_lasttoken: true }) }, "lasttoken"],
    [
      "with two poolings",
      { "1_Pooling/config.json": json({ pooling_mode_cls_token: true, pooling_mode_max_tokens: true }) },
      "cls_token, max_tokens",
    ],
  ])("%s", async (_what, files, words) => {
    const error = await convert(files).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "invalid_request", message: expect.stringContaining(words) });
  });

  test("with a SentencePiece vocabulary", async () => {
    const { "vocab.txt": _, ...rest } = tinyCheckpoint();
    await writeCheckpoint(folder, { ...rest, "sentencepiece.bpe.model": Buffer.of(10) });
    const error = await convertBert(folder, target, () => {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "invalid_request", message: expect.stringContaining("SentencePiece") });
  });

  test("with weights in half precision", async () => {
    const { "model.safetensors": weights = Buffer.of() } = tinyCheckpoint();
    const half = Buffer.from(weights.toString("latin1").replaceAll('"F32"', '"F16"'), "latin1");
    const error = await convert({ "model.safetensors": half }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "invalid_request", message: expect.stringContaining("F16") });
  });
});

const block = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), {
  minLength: Q8_0_WEIGHTS,
  maxLength: Q8_0_WEIGHTS,
});

test("every quantized weight differs by at most half a step of its block", () => {
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
      const weights = Float32Array.from(blocks.flat());
      const bytes = quantizeQ8(weights);
      expect(bytes).toHaveLength(blocks.length * Q8_0_BYTES);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (const [index, weight] of weights.entries()) {
        const at = Math.floor(index / Q8_0_WEIGHTS) * Q8_0_BYTES;
        const step =
          Math.max(
            ...weights
              .slice(index - (index % Q8_0_WEIGHTS))
              .slice(0, Q8_0_WEIGHTS)
              .map(Math.abs),
          ) / 127;
        const read = view.getFloat16(at, true) * view.getInt8(at + 2 + (index % Q8_0_WEIGHTS));
        // The scale is kept in half precision: 2^-11 of it, and for the smallest ones 2^-25, 127 times at most.
        const rounding = Math.abs(weight) * 2 ** -11 + 127 * 2 ** -25;
        expect(Math.abs(read - weight)).toBeLessThanOrEqual(step / 2 + rounding + 1e-6 * step);
      }
    }),
  );
});

test("quantizing gives the same bytes as ggml's reference, which rounds halves away from zero", () => {
  const weights = new Float32Array(Q8_0_WEIGHTS);
  weights.set([127, -127, 0.5, -0.5, 1.5, -1.5, 2.4999, 0]);
  const bytes = quantizeQ8(weights);
  expect(bytes.readUInt16LE(0)).toBe(0x3c00); // 1 in half precision
  expect([...new Int8Array(bytes.buffer, bytes.byteOffset + 2, 8)]).toEqual([127, -127, 1, -1, 2, -2, 2, 0]);
});

test("a quantized block of zeros is zeros", () => {
  expect(quantizeQ8(new Float32Array(Q8_0_WEIGHTS)).every((byte) => byte === 0)).toBe(true);
});
