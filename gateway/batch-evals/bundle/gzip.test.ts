import { expect, test } from "bun:test";
import { until } from "../../../tests/until";
import { gunzipped, gzipped } from "./gzip";

test("decompressing returns the same pieces, and errors of the source reach the reader", async () => {
  const pieces = [Buffer.from("a".repeat(100_000)), Buffer.from("é"), Buffer.alloc(0)];
  const read = await Array.fromAsync(gunzipped(gzipped(new Blob(pieces).stream())));
  expect(Buffer.concat(read).equals(Buffer.concat(pieces))).toBe(true);
  const failing = async function* () {
    yield Buffer.from("a");
    throw new Error("The run changed.");
  };
  await expect(Array.fromAsync(gzipped(failing()))).rejects.toThrow("The run changed.");
});

test("a reader that stops closes the source", async () => {
  const seen = { pieces: 0, isClosed: false };
  const source = async function* () {
    try {
      for (; ; seen.pieces++) yield crypto.getRandomValues(new Uint8Array(65_536));
    } finally {
      seen.isClosed = true;
    }
  };
  const reader = gzipped(source());
  await reader.next();
  await reader.return(undefined);
  await until("the source is closed", async () => seen.isClosed);
  expect(seen.pieces).toBeLessThan(100);
});
