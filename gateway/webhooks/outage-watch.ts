import type { Db, Tx } from "../../db/client";
import * as store from "../../db/outages";
import { publishEvent } from "../../db/outbox";
import { newId } from "../../lib/ids";
import type { Log } from "../../lib/log";
import type { Degradation } from "../health/contract";
import type { NodeView } from "../ports/engine";
import type { PublishedEvent } from "./event-contract";

/** How long a state must last before it is published, so that a flapping node causes no flood of events. */
const STABLE_MS = 10_000;
const LOOK_MS = 1000;
/** A gateway that hasn't renewed its outages for this long is considered dead. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;

type Published<Type extends PublishedEvent["type"]> = Extract<PublishedEvent, { type: Type }>["data"];

/** An outage as this gateway sees it, without the fields that other gateways may know better. */
type Seen =
  | { kind: "node"; detail: Omit<Published<"node.down">, "since"> }
  | { kind: "degradation"; detail: Omit<Published<"degradation.started">, "since"> };

interface WatchDeps {
  db: Db;
  log: Pick<Log, "warn">;
  nodes(): readonly Pick<NodeView, "id" | "state" | "isDrained" | "lastError">[];
  degradations(): readonly Degradation[];
  now?: () => Date;
  /** A clock in milliseconds that is never adjusted. */
  monotonicMs?: () => number;
}

interface Subject {
  /** Whether the database has this gateway's outage. */
  isReported: boolean;
  /** Since when the gateway has seen the opposite of what it reported. */
  changedAtMs?: number;
  since?: Date;
}

/**
 * Publishes lasting changes of nodes and degradations. An outage lasts as long as any gateway sees it:
 * the first one to see it publishes its start, the last one its end. The database has what each gateway sees, so a
 * restarted gateway continues, and the outages of a dead one end when its lease does.
 */
export class OutageWatch {
  readonly #observer = newId("gateway");
  readonly #subjects = new Map<string, Subject>();
  readonly #now: () => Date;
  readonly #monotonicMs: () => number;
  readonly #openedAtMs: number;
  #renewedAtMs: number;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #hasFailed = false;

  constructor(private readonly deps: WatchDeps) {
    this.#now = deps.now ?? (() => new Date());
    this.#monotonicMs = deps.monotonicMs ?? (() => performance.now());
    this.#openedAtMs = this.#renewedAtMs = this.#monotonicMs();
  }

  /** Checks every second until `close`. */
  open(): void {
    this.#timer ??= setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** The outages stay: another gateway, or this one after its restart, publishes their end. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Checks once. Never rejects: changes that can't be stored are retried. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .then(() => {
        this.#hasFailed = false;
      })
      .catch((error) => {
        if (!this.#hasFailed) this.deps.log.warn({ err: error }, "could not publish an outage; trying again");
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const nowMs = this.#monotonicMs();
    const { out, unknown } = this.#see();
    for (const name of new Set([...out.keys(), ...this.#subjects.keys()])) {
      if (unknown.has(name)) continue;
      const subject = this.#subjects.getOrInsertComputed(name, () => ({ isReported: false }));
      const seen = out.get(name);
      if ((seen !== undefined) === subject.isReported) {
        subject.changedAtMs = undefined;
        continue;
      }
      if (subject.changedAtMs === undefined) {
        subject.changedAtMs = nowMs;
        subject.since = this.#now();
      }
      if (nowMs - subject.changedAtMs < STABLE_MS) continue;
      await this.deps.db.write((tx) =>
        seen ? this.#start(tx, name, seen, subject.since ?? this.#now()) : this.#end(tx, name, subject.since),
      );
      this.#subjects.set(name, { isReported: seen !== undefined });
    }
    if (nowMs - this.#renewedAtMs >= RENEW_MS) await this.#renew(nowMs);
  }

  /** `unknown`: a loading or draining node is neither down nor back. */
  #see(): { out: Map<string, Seen>; unknown: Set<string> } {
    const out = new Map<string, Seen>();
    const unknown = new Set<string>();
    for (const { id, state, isDrained, lastError } of this.deps.nodes()) {
      const name = `node:${id}`;
      if (state === "down" || state === "ejected" || state === "stuck") {
        const reason = lastError ?? REASONS[state];
        if (!isDrained) out.set(name, { kind: "node", detail: { node: id, state, reason } });
        else unknown.add(name);
      } else if (state !== "ready" && state !== "busy") unknown.add(name);
    }
    for (const { code, reason, drill } of this.deps.degradations()) {
      out.set(`degradation:${code}`, { kind: "degradation", detail: { code, reason, drill } });
    }
    return { out, unknown };
  }

  async #start(tx: Tx, name: string, seen: Seen, since: Date): Promise<void> {
    const until = new Date(this.#now().getTime() + LEASE_MS);
    const row = { subject: name, observer: this.#observer, since, until, detail: { ...seen.detail } };
    const { outage, isFirst } = await store.startOutage(tx, row);
    if (!isFirst) return;
    const data = { ...outage.detail, since: since.toISOString() };
    const type = seen.kind === "node" ? "node.down" : "degradation.started";
    await publishEvent(tx, { type, cause: causeOf(type, outage), data }, this.#now());
  }

  async #end(tx: Tx, name: string, at: Date | undefined, observer = this.#observer): Promise<void> {
    const ended = await store.endOutage(tx, name, observer);
    if (!ended) return;
    const endedAt = at ?? this.#now();
    const { since, detail } = ended;
    const times = {
      since: since.toISOString(),
      ended_at: endedAt.toISOString(),
      seconds: Math.max(0, Math.round((endedAt.getTime() - since.getTime()) / 1000)),
    };
    const isNode = name.startsWith("node:");
    const type = isNode ? "node.up" : "degradation.ended";
    const data = isNode ? { node: detail.node, ...times } : { ...detail, ...times };
    await publishEvent(tx, { type, cause: causeOf(type, ended), data }, this.#now());
  }

  /** Renews this gateway's outages, and ends those of dead gateways once this one would have reported them itself. */
  async #renew(nowMs: number): Promise<void> {
    this.#renewedAtMs = nowMs;
    const { db } = this.deps;
    const now = this.#now();
    const expired = nowMs - this.#openedAtMs > RENEW_MS ? await store.listExpiredOutages(db, this.#observer, now) : [];
    const isReporting = [...this.#subjects.values()].some(({ isReported }) => isReported);
    if (!isReporting && expired.length === 0) return;
    await db.write(async (tx) => {
      await store.renewOutages(tx, this.#observer, new Date(now.getTime() + LEASE_MS));
      for (const { subject, observer } of expired) await this.#end(tx, subject, now, observer);
    });
  }
}

const REASONS = {
  down: "It is unreachable, or its engine failed.",
  ejected: "It failed several times in a row.",
  stuck: "Requests are running, but no tokens arrive.",
} as const;

/** An outage that started at one time has one start and one end. */
const causeOf = (type: string, { subject, since }: Pick<store.OutageRow, "subject" | "since">): string =>
  `${type}:${subject}:${since.getTime()}`;
