import { generateKey } from "../gateway/keys/format";
import { createKeys, LOCAL_ACTOR } from "../gateway/keys/service";
import { defaultConfig } from "../lib/settings";
import { temporaryDb } from "./db/temporary";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]) => {
  const average = mean(values);
  return values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1);
};
/** Drops the slowest 5 %, which waited for the machine. */
const trimmed = (values: number[]) => values.sort((a, b) => a - b).slice(0, Math.floor(values.length * 0.95));

/**
 * Welch's t of the times to reject a wrong secret with a known id and an unknown key, each measured `tries` times. From
 * 4.5 on, the times differ.
 */
export const timingDifference = async (tries: number): Promise<number> => {
  const db = await temporaryDb();
  const keys = createKeys({ db, config: defaultConfig() });
  const { key } = await keys.create(LOCAL_ACTOR, { name: "known", role: "viewer" });
  await keys.verify(`Bearer ${key}`);
  const forged = generateKey(key.slice(3, 15)).key;
  const unknown = generateKey().key;

  const times: Record<"forged" | "unknown", number[]> = { forged: [], unknown: [] };
  const measure = async (candidate: string): Promise<number> => {
    const startedMs = performance.now();
    await Promise.resolve(keys.verify(`Bearer ${candidate}`)).catch(() => {});
    return performance.now() - startedMs;
  };
  for (let n = 0; n < tries; n++) {
    // In random order, so that neither kind always runs first.
    const isForgedFirst = Math.random() < 0.5;
    if (isForgedFirst) times.forged.push(await measure(forged));
    times.unknown.push(await measure(unknown));
    if (!isForgedFirst) times.forged.push(await measure(forged));
  }
  await keys.close();
  await db.close();
  const [a, b] = [trimmed(times.forged), trimmed(times.unknown)];
  return (mean(a) - mean(b)) / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
};
