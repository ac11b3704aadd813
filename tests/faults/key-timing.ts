import { timingDifference } from "../key-timing";

/**
 * Compares how long the gateway takes to reject a wrong secret of a known key and a key that doesn't exist:
 * `bun run faults`, or `bun tests/faults/key-timing.ts 100000`.
 */
const tries = Number(process.argv[2] ?? 100_000);
const t = await timingDifference(tries);
console.log(JSON.stringify({ tries, welchT: t.toFixed(2), limit: 4.5 }));
process.exit(Math.abs(t) < 4.5 ? 0 : 1);
