import { residentMib } from "../../bench/processes";
import { freePort } from "../free-port";
import { TestClient } from "../test-node";
import { until } from "../until";

/**
 * Runs a thousand parallel streams on a node with the synthetic engine, in nine rounds. Every stream must be complete, and
 * the last three rounds must not need more memory than the three before them, by their lowest values, because garbage that
 * is not collected yet makes single values vary by 40 MiB.
 */

const STREAMS = 1000;
const ROUNDS = 9;
const GROWTH_MIB = 20;

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const child = Bun.spawn([process.execPath, "gpu-node/main.ts"], {
  env: {
    ...process.env,
    GROUNDWIRE_NODE_ENGINE: "synthetic",
    GROUNDWIRE_NODE_PORT: String(port),
    GROUNDWIRE_NODE_SLOTS: String(STREAMS),
    GROUNDWIRE_SYNTHETIC_TOKENS: "50",
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: "20",
  },
  stdout: "ignore",
  stderr: "inherit",
});
const isReady = () =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

const residents: number[] = [];
let broken = 0;
try {
  await until("the node is ready", isReady);
  using client = new TestClient(url);
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const endings = await Promise.all(
      Array.from({ length: STREAMS }, async (_, index) => {
        const { text, code } = await client.chat(`${round}.${index}`, { stream: true });
        return { whole: code === 0 && text.endsWith("data: [DONE]\n\n"), ms: performance.now() - startedAt };
      }),
    );
    const times = endings.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const failures = endings.filter(({ whole }) => !whole).length;
    broken += failures;
    residents.push(residentMib(child.pid));
    const row = { failures, firstMs: times[0]?.toFixed(0), lastMs: times.at(-1)?.toFixed(0) };
    console.log(JSON.stringify({ round, ...row, residentMib: residents.at(-1)?.toFixed(0) }));
  }
} finally {
  child.kill("SIGTERM");
  await child.exited;
}
const grownMib = Math.min(...residents.slice(6)) - Math.min(...residents.slice(3, 6));
process.exit(broken > 0 || grownMib > GROWTH_MIB ? 1 : 0);
