import { expect, test } from "bun:test";
import { audioSeconds } from "./audio-length";

const wav = (seconds: number, { rate = 16_000, channels = 1, bits = 16, claimed = 0 } = {}): string => {
  const bytesPerSecond = (rate * channels * bits) / 8;
  const file = Buffer.alloc(44 + seconds * bytesPerSecond);
  file.write("RIFF", 0);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(claimed || bytesPerSecond, 28);
  return file.toString("base64");
};
/** `header` holds the version and bit-rate bytes of the first frame. */
const mp3 = (seconds: number, kbits: number, header: [version: number, rate: number], tagBytes?: number): string => {
  const frames = Buffer.alloc((seconds * kbits * 1000) / 8);
  frames.set([0xff, ...header]);
  if (tagBytes === undefined) return frames.toString("base64");
  const tag = Buffer.alloc(10 + tagBytes);
  tag.write("ID3");
  tag.set([0, 0, tagBytes >> 7, tagBytes & 0x7f], 6);
  return Buffer.concat([tag, frames]).toString("base64");
};

test.each<[what: string, format: "wav" | "mp3", data: string, seconds: number]>([
  ["WAV of speech", "wav", wav(60), 60],
  ["WAV of a telephone", "wav", wav(60, { rate: 8000, bits: 8 }), 60],
  ["WAV of music", "wav", wav(10, { rate: 44_100, channels: 2 }), 10],
  ["MP3 with 320 kbit/s", "mp3", mp3(60, 320, [0xfb, 0xe0]), 60],
  ["MP3 with 128 kbit/s", "mp3", mp3(60, 128, [0xfb, 0x90]), 60],
  ["MP3 with 16 kbit/s, MPEG-2", "mp3", mp3(60, 16, [0xf3, 0x20]), 60],
  ["MP3 with 8 kbit/s, MPEG-2.5", "mp3", mp3(60, 8, [0xe3, 0x10]), 60],
  ["MP3 after a tag", "mp3", mp3(60, 128, [0xfb, 0x90], 2000), 60],
  ["MP3 after a tag of another length", "mp3", mp3(60, 128, [0xfb, 0x90], 1999), 60],
])("the length of a %s", (_, format, data, seconds) => {
  expect(Math.abs(audioSeconds({ data, format }) - seconds)).toBeLessThan(0.2);
});

test.each<[what: string, format: "wav" | "mp3", data: string, bytesPerSecond: number]>([
  ["WAV that claims a high rate", "wav", wav(1, { claimed: 2 ** 32 - 1 }), 384_000],
  ["WAV that claims a low rate", "wav", wav(1, { claimed: 1 }), 4000],
  ["WAV without a header", "wav", "A".repeat(8000), 4000],
  ["MP3 without a frame", "mp3", "A".repeat(8000), 4000],
  ["MP3 with an invalid rate", "mp3", mp3(1, 128, [0xfb, 0xf0]), 4000],
  ["MP3 that is only a tag", "mp3", mp3(1, 128, [0xfb, 0x90], 2 ** 13).slice(0, 400), 4000],
])("a %s counts as one with a common rate", (_, format, data, bytesPerSecond) => {
  expect(audioSeconds({ data, format })).toBeCloseTo((data.length * 3) / 4 / bytesPerSecond, 6);
});

test("base64 that is too short or invalid still gets a length", () => {
  for (const data of ["", "A", "====", "SUQz", "UklGRg==", "é"]) {
    for (const format of ["wav", "mp3"] as const) expect(audioSeconds({ data, format })).toBeLessThan(1);
  }
});
