/** Byte rates of WAV audio, from 8,000 4-bit samples per second to 48,000 32-bit samples on two channels. */
const MIN_WAV_BYTES = 4000;
const MAX_WAV_BYTES = 384_000;
/** MP3 speech rarely has a lower bit rate. */
const MIN_MP3_KBITS = 32;
/** Bit rates of MPEG-1 Layer III and of MPEG-2 Layer III, in kbit/s, by their index in a frame's header. */
const MPEG_1_KBITS = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MPEG_2_KBITS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** `length` bytes of base64 data from `start`, or fewer at the end. */
const bytesAt = (data: string, start: number, length: number): Buffer => {
  const skipped = start % 3;
  const from = ((start - skipped) / 3) * 4;
  const bytes = Buffer.from(data.slice(from, from + Math.ceil((skipped + length) / 3) * 4), "base64");
  return bytes.subarray(skipped, skipped + length);
};

/** Bytes per second according to the WAV header. An unknown header counts as the lowest rate. */
const wavBytesPerSecond = (data: string): number => {
  const header = bytesAt(data, 0, 32);
  const isKnown = header.length === 32 && header.toString("latin1", 8, 16) === "WAVEfmt ";
  return isKnown ? Math.min(Math.max(header.readUInt32LE(28), MIN_WAV_BYTES), MAX_WAV_BYTES) : MIN_WAV_BYTES;
};

/** Bytes per second of the first MP3 frame, after any ID3v2 tag. */
const mp3BytesPerSecond = (data: string): number => {
  const tag = bytesAt(data, 0, 10);
  const isTagged = tag.length === 10 && tag.toString("latin1", 0, 3) === "ID3";
  const tagBytes = isTagged ? 10 + tag.subarray(6).reduce((size, byte) => size * 128 + (byte & 0x7f), 0) : 0;
  const [sync = 0, version = 0, rate = 0] = bytesAt(data, tagBytes, 3);
  const isFrame = sync === 0xff && (version & 0xe6) === 0xe2;
  const kbits = isFrame ? ((version & 0x18) === 0x18 ? MPEG_1_KBITS : MPEG_2_KBITS)[rate >> 4] : undefined;
  return ((kbits || MIN_MP3_KBITS) * 1000) / 8;
};

/** The length of an audio file in seconds, estimated from its size and the rate in its header. */
export const audioSeconds = ({ data, format }: { data: string; format: "wav" | "mp3" }): number => {
  const bytesPerSecond = format === "wav" ? wavBytesPerSecond(data) : mp3BytesPerSecond(data);
  return (data.length * 3) / 4 / bytesPerSecond;
};
