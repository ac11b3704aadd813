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

/** Maximum number of consumers per key. The one that was idle longest is dropped. */
const MAX_PER_KEY = 20;
/** A consumer that was idle for this long is dropped. */
const FORGET_MS = 3_600_000;

/** What used a key's limits recently in this gateway. */
export class Consumers {
  readonly #accounts = new Map<string, Map<string, Consumer>>();
  #sweptAtMs = 0;

  /** Counts one request to a route. */
  request(account: string, route: string, nowMs: number): void {
    const consumer = this.#accounts.get(account)?.get(route) ?? this.#of(account, route, route, null, null, nowMs);
    consumer.requests++;
    consumer.lastAtMs = nowMs;
  }

  /** Counts one use of a model. */
  use(
    account: string,
    { route, model, runId = null }: { route: string; model: string; runId?: string | null },
    { tokens, machineMs }: { tokens: number; machineMs: number },
    nowMs: number,
  ): void {
    const consumer = this.#of(account, `${route} ${model} ${runId}`, route, model, runId, nowMs);
    consumer.requests++;
    consumer.tokens += tokens;
    consumer.machineMs += machineMs;
    consumer.lastAtMs = nowMs;
  }

  #of(account: string, id: string, route: string, model: string | null, runId: string | null, nowMs: number): Consumer {
    this.#sweep(nowMs);
    let consumers = this.#accounts.get(account);
    if (!consumers) {
      consumers = new Map();
      this.#accounts.set(account, consumers);
    }
    let consumer = consumers.get(id);
    if (!consumer) {
      consumer = { route, model, runId, requests: 0, tokens: 0, machineMs: 0, firstAtMs: nowMs, lastAtMs: nowMs };
      if (consumers.size >= MAX_PER_KEY) consumers.delete(longestIdle(consumers));
      consumers.set(id, consumer);
    }
    return consumer;
  }

  /** The last hour's consumers, latest first. */
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
