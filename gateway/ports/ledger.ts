import type { Window } from "./limit-window";

/** The maximum of one counter. All amounts are whole numbers. */
export interface Limit {
  /** Id of the counter. It doesn't contain the amount, so a changed limit keeps what was used. */
  counter: string;
  amount: number;
  window: Window;
  /** Counted, but never refused. */
  isObserved: boolean;
}

/** The part of a limit that one piece of work needs. */
export interface Charge {
  limit: Limit;
  /** Amount to reserve if there is room for it. 0: only reads the counter. */
  amount: number;
  /** The smallest part of `amount` that is enough: the rest of a limit is then granted. */
  least: number;
}

/** The state of one limit, after its charge. */
export interface Reading {
  used: number;
  /** Milliseconds until some of `used` leaves the window; 0 if nothing is used, Infinity if waiting doesn't help. */
  changesInMs: number;
  /** Milliseconds until all of it has left. */
  emptyInMs: number;
  /** Milliseconds until the charge fits; 0: it fits now, Infinity: waiting doesn't help. */
  fitsInMs: number;
}

/** Readings are in the order of the charges. */
export interface Refused {
  readings: readonly Reading[];
  reserved?: undefined;
}

export interface Reserved {
  readings: readonly Reading[];
  reserved: Reservation;
}

export interface Reservation {
  /** What was reserved for each charge. */
  readonly granted: readonly number[];
  /** Replaces what was reserved by what was used, in the order of the charges. Later calls do nothing. */
  settle(used: readonly number[]): void;
}

export interface LedgerState {
  /** local: the shared store is lost, and this gateway enforces its share of each limit. */
  status: "ok" | "local";
  since: Date;
  /** Gateways that share the limits. */
  gateways: number;
  /** The shared store works, but is not used: see `detach`. */
  isDetached?: boolean;
}

/** Counts what is used of limits, for one gateway or for all. */
export interface LedgerStore {
  open(): Promise<void>;
  /**
   * Reserves all charges or none, in one step that no other caller can come between. A store in this process answers
   * without a promise. `mayGoLocal`: what to do while a shared store is lost: enforce this gateway's share of the
   * limits, or throw unavailable.
   */
  reserve(charges: readonly Charge[], mayGoLocal: boolean): Reserved | Refused | Promise<Reserved | Refused>;
  /** Reads limits without reserving. `fitsInMs` is for the smallest possible charge. */
  read(limits: readonly Limit[]): readonly Reading[] | Promise<readonly Reading[]>;
  state(): LedgerState;
  /** Stops or resumes using a shared store, as if it were lost. */
  detach?(isDetached: boolean): void;
  /** Saves what is not saved yet. */
  close(): Promise<void>;
}
