import type { ErrorKind } from "../errors";

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A `traceparent` header (W3C Trace Context); undefined if it is missing or malformed. */
export const readTraceparent = (header: string | null | undefined): string | undefined =>
  header && TRACEPARENT.test(header) ? header : undefined;

/** Values of a span. Only ids, names, counts and times: never prompts, answers, documents or keys. */
export type Attributes = Record<string, string | number | boolean | string[] | undefined>;

export interface SpanOptions {
  /** server: handles a call of another process. client: calls one. consumer: runs a queued task. internal: a step. */
  kind: "server" | "client" | "consumer" | "internal";
  /** `traceparent` of the span that contains this one; undefined: this span begins a trace. */
  parent?: string;
  /** A `performance.now()` value; default: now. */
  at?: number;
  attributes?: Attributes;
  /** `traceparent` of a span in another trace that this one belongs to. */
  linkedTo?: string;
}

/** One step of a request or a job. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** W3C trace context of this span, for calls made in this step and for spans in it. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  event(name: string, attributes?: Attributes): void;
  /** Records a step that is over, in this one. Times are `performance.now()` values. */
  step(name: string, from: number, to: number, attributes?: Attributes): void;
  /** Records why the step failed. `isFault`: false for errors of the caller in a server's span. */
  fail(kind: ErrorKind | "unclassified", isFault?: boolean): void;
  /** Ends the span; later calls do nothing. */
  end(): void;
}

/** Records spans. While tracing is off, the tracer is undefined and costs nothing. */
export interface Tracer {
  start(name: string, options: SpanOptions): Span;
  /** Sends the spans recorded until now. Never rejects. */
  flush(): Promise<void>;
  /** Sends the remaining spans, for at most two seconds. Never rejects. */
  close(): Promise<void>;
}
