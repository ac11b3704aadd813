import { Stack } from "../harness";

/**
 * Opens 100 streams whose model is silent for 30 s before the second token: `bun run faults quiet-streams`,
 * `bun tests/faults/quiet-streams.ts 3 12` for three streams and 12 s. All must stay open, get a comment at least every
 * 6 s, and end with a complete answer.
 */

const STREAMS = Number(process.argv[2] ?? 100);
const SILENT_S = Number(process.argv[3] ?? 30);
/** The gateway sends a comment every 5 s. */
const MAX_GAP_MS = 6000;

const stack = await Stack.start({
  engine: "synthetic",
  env: {
    GROUNDWIRE_PARALLEL_REQUESTS: "1000",
    GROUNDWIRE_SYNTHETIC_TOKENS: "2",
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(1000 * SILENT_S),
    GROUNDWIRE_NEXT_TOKEN_TIMEOUT_MS: String(2000 * SILENT_S),
    GROUNDWIRE_STUCK_MS: String(2000 * SILENT_S),
    GROUNDWIRE_NODE_STUCK_MS: String(2000 * SILENT_S),
    GROUNDWIRE_NODE_SLOTS: String(STREAMS),
    GROUNDWIRE_CACHE: "false",
    GROUNDWIRE_LOG_LEVEL: "error",
  },
});

interface Quiet {
  isWhole: boolean;
  comments: number;
  longestGapMs: number;
}

const listen = async (): Promise<Quiet> => {
  const body = { messages: [{ role: "user", content: crypto.randomUUID() }], stream: true };
  const response = await stack.fetch("/v1/chat/completions", { body });
  let [text, longestGapMs, lastMs] = ["", 0, performance.now()];
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
    lastMs = performance.now();
    text += decoder.decode(piece, { stream: true });
  }
  return { isWhole: text.endsWith("data: [DONE]\n\n"), comments: text.match(/^:/gm)?.length ?? 0, longestGapMs };
};

let isKept = false;
try {
  const all = await Promise.all(
    Array.from({ length: STREAMS }, () => listen().catch(() => ({ isWhole: false, comments: 0, longestGapMs: 0 }))),
  );
  const row = {
    streams: STREAMS,
    broken: all.filter(({ isWhole }) => !isWhole).length,
    fewestComments: Math.min(...all.map(({ comments }) => comments)),
    longestGapMs: Math.round(Math.max(...all.map(({ longestGapMs }) => longestGapMs))),
  };
  isKept = row.broken === 0 && row.fewestComments > 0 && row.longestGapMs <= MAX_GAP_MS;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
} finally {
  await stack.stop();
}
process.exit(isKept ? 0 : 1);
