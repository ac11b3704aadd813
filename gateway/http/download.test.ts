import { afterAll, beforeAll, expect, test } from "bun:test";
import { until } from "../../tests/until";
import { download } from "./download";

const PIECE = new Uint8Array(1_048_576);
const PIECES = 200;

let server: ReturnType<typeof Bun.serve>;
const seen = { pieces: 0, isClosed: false };

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    fetch: () => {
      const content = async function* () {
        try {
          for (; seen.pieces < PIECES; seen.pieces++) yield PIECE;
        } finally {
          seen.isClosed = true;
        }
      };
      return download({ name: "large.tar.gz", mediaType: "application/gzip", content: content() });
    },
  });
});
afterAll(() => server.stop(true));

test("a file is read at the client's speed, and reading stops when the client disconnects", async () => {
  const abort = new AbortController();
  const response = await fetch(server.url, { signal: abort.signal });
  expect(response.headers.get("content-type")).toBe("application/gzip");
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="large.tar.gz"');
  await response.body?.getReader().read();
  await until("the buffers between both are full", async () => {
    const before = seen.pieces;
    await Bun.sleep(200);
    return seen.pieces === before;
  });
  expect(seen.pieces).toBeLessThan(PIECES / 2);
  abort.abort();
  await until("the file is closed", async () => seen.isClosed);
  expect(seen.pieces).toBeLessThan(PIECES / 2);
});
