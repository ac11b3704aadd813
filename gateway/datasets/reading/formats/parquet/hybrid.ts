import { damaged } from "./file";

/** Number of bits of a whole number up to `max`. */
export const bitWidth = (max: number): number => 32 - Math.clz32(max);

/**
 * Unpacks Parquet's "RLE/bit-packing hybrid" from `start` to `end` of `bytes` and fills `output`. `width` is 0 to 32
 * bits. Throws dataset_invalid if there are too few values, and for a run that is longer than the room left in `output`.
 */
export const readHybrid = (
  bytes: Uint8Array,
  { start, end, width }: { start: number; end: number; width: number },
  output: Uint8Array | Uint32Array,
): void => {
  let at = start;
  let filled = 0;
  while (filled < output.length) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw damaged("a page ends too early");
      const byte = bytes[at++] ?? 0;
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const length = header >>> 1;
    const room = output.length - filled;
    if (header & 1) {
      const count = Math.min(length * 8, room);
      if (at + Math.ceil((count * width) / 8) > end) throw damaged("a page ends too early");
      if (width === 0 && length * 8 > room + 7) throw tooLong();
      for (let i = 0; i < count; i++) output[filled++] = readBits(bytes, at * 8 + i * width, width);
      at += length * width;
    } else {
      if (length > room) throw tooLong();
      const value = readBits(bytes, at * 8, width);
      at += Math.ceil(width / 8);
      output.fill(value, filled, filled + length);
      filled += length;
    }
  }
};

const tooLong = () => damaged("a run is longer than its page");

/** Reads a number of `width` bits at a bit offset, least significant bit first. */
const readBits = (bytes: Uint8Array, bit: number, width: number): number => {
  let value = 0;
  for (let done = 0; done < width; ) {
    const at = bit + done;
    const count = Math.min(8 - (at & 7), width - done);
    const part = ((bytes[at >>> 3] ?? 0) >>> (at & 7)) & ((1 << count) - 1);
    value |= part << done;
    done += count;
  }
  return value >>> 0;
};
