/** What one route, model and run used of a key's limits. */
export interface Consumer {
  route: string;
  /** null: no model was used. */
  model: string | null;
  runId: string | null;
  requests: number;
  tokens: number;
  machineMs: number;
  /** Milliseconds since 1970. */
  firstAtMs: number;
  lastAtMs: number;
}

/** The most that are remembered per key. The one that was idle longest is forgotten. */
const MAX_PER_KEY = 20;
/** A consumer that was idle for this long is forgotten. */
const FORGET_MS = 3_600_000;

/** Who used a key's limits lately, in this gateway. */
export class Consumers {
  readonly #accounts = new Map<string, Map<string, Consumer>>();
  #sweptAtMs = 0;

  add(
    account: string,
    { route, model = null, runId = null }: { route: string; model?: string | null; runId?: string | null },
    used: { requests?: number; tokens?: number; machineMs?: number },
    nowMs: number,
  ): void {
    this.#sweep(nowMs);
    let consumers = this.#accounts.get(account);
    if (!consumers) {
      consumers = new Map();
      this.#accounts.set(account, consumers);
    }
    const id = model === null ? route : `${route} ${model} ${runId}`;
    let consumer = consumers.get(id);
    if (!consumer) {
      consumer = { route, model, runId, requests: 0, tokens: 0, machineMs: 0, firstAtMs: nowMs, lastAtMs: nowMs };
      if (consumers.size >= MAX_PER_KEY) consumers.delete(longestIdle(consumers));
      consumers.set(id, consumer);
    }
    consumer.lastAtMs = nowMs;
    consumer.requests += used.requests ?? 0;
    consumer.tokens += used.tokens ?? 0;
    consumer.machineMs += used.machineMs ?? 0;
  }

  /** Those of the last hour; the latest first. */
  of(account: string, nowMs: number): Consumer[] {
    return [...(this.#accounts.get(account)?.values() ?? [])]
      .filter(({ lastAtMs }) => nowMs - lastAtMs < FORGET_MS)
      .toSorted((a, b) => b.lastAtMs - a.lastAtMs);
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < 60_000) return;
    this.#sweptAtMs = nowMs;
    for (const [account, consumers] of this.#accounts) {
      for (const [id, { lastAtMs }] of consumers) if (nowMs - lastAtMs >= FORGET_MS) consumers.delete(id);
      if (consumers.size === 0) this.#accounts.delete(account);
    }
  }
}

const longestIdle = (consumers: ReadonlyMap<string, Consumer>): string =>
  [...consumers].reduce((a, b) => (b[1].lastAtMs < a[1].lastAtMs ? b : a))[0];
