import {
  type HrTime,
  ROOT_CONTEXT,
  type Attributes as SdkAttributes,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config";
import type { Log } from "../log";
import { withTimeout } from "../with-timeout";
import { type Collector, parsePairs } from "./collector";
import type { Attributes, Span, SpanOptions, Tracer } from "./tracer";

/* The only file that uses OpenTelemetry's packages. */

interface TracerOptions {
  component: string;
  collector: Collector;
  tracing: Config["tracing"];
  log: Pick<Log, "warn" | "info">;
}

/** How long closing waits for the collector. */
const CLOSE_MS = 2000;

export const createTracer = ({ component, collector, tracing, log }: TracerOptions): Tracer => {
  const exporter = new OTLPTraceExporter(collector);
  const provider = new TracerProvider({
    sampler: samplerOf(tracing),
    resource: defaultResource().merge(resourceFromAttributes(resourceOf(component, tracing))),
    spanProcessors: [new BatchSpanProcessor({ exporter: reportOutages(exporter, log) })],
  });
  const sdk = provider.getTracer("groundwire", packageJson.version);

  const start = (name: string, { kind, parent, at = performance.now(), attributes, linkedTo }: SpanOptions): Span => {
    const context = parseTraceparent(parent);
    const linked = parseTraceparent(linkedTo);
    const span = sdk.startSpan(
      name,
      {
        kind: KINDS[kind],
        startTime: wallTime(at),
        attributes: defined(attributes),
        links: linked && [{ context: linked }],
      },
      context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT,
    );
    return new OtlpSpan(span, (stepName, from, to, values, step) => {
      const options = { kind: SpanKind.INTERNAL, startTime: wallTime(from), attributes: defined(values) };
      sdk.startSpan(stepName, options, trace.setSpan(ROOT_CONTEXT, step)).end(wallTime(to));
    });
  };

  return {
    start,
    flush: () => provider.forceFlush().catch(() => {}),
    close: async () => {
      await withTimeout(
        provider.shutdown().catch(() => {}),
        CLOSE_MS,
      );
    },
  };
};

type RecordStep = (name: string, from: number, to: number, attributes: Attributes | undefined, parent: SdkSpan) => void;

class OtlpSpan implements Span {
  constructor(
    private readonly span: SdkSpan,
    private readonly recordStep: RecordStep,
  ) {}

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.span.spanContext();
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
  }

  set(attributes: Attributes): void {
    this.span.setAttributes(defined(attributes));
  }

  event(name: string, attributes: Attributes = {}): void {
    this.span.addEvent(name, defined(attributes), wallTime(performance.now()));
  }

  step(name: string, from: number, to: number, attributes?: Attributes): void {
    // A span that is not sampled has no steps either.
    if (this.span.isRecording()) this.recordStep(name, from, to, attributes, this.span);
  }

  fail(kind: string, isFault = true): void {
    this.span.setAttribute("error.type", kind);
    if (isFault) this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.span.isRecording()) this.span.end(wallTime(performance.now()));
  }
}

/** Larger differences to the wall clock are corrected: it may have been set. */
const MAX_DRIFT_MS = 2;
let originMs = performance.timeOrigin;

/**
 * Seconds and nanoseconds since 1970 of a `performance.now()` value. The packages would convert it with an offset of its
 * own for each span that is wrong by up to a millisecond, so that short steps would be out of order.
 */
const wallTime = (at: number): HrTime => {
  const wallMs = Date.now();
  if (Math.abs(wallMs - originMs - performance.now()) > MAX_DRIFT_MS) originMs = wallMs - performance.now();
  const ms = originMs + at;
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
};

const KINDS: Record<SpanOptions["kind"], SpanKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

const defined = (attributes: Attributes = {}): SdkAttributes => {
  const kept: SdkAttributes = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) kept[name] = value;
  return kept;
};

/** The fields of a valid `traceparent`. */
const parseTraceparent = (traceparent: string | undefined): SpanContext | undefined => {
  if (traceparent === undefined) return undefined;
  const [, traceId = "", spanId = "", flags = "00"] = traceparent.split("-");
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
};

/** The process that records the spans. OTEL_SERVICE_NAME takes precedence over OTEL_RESOURCE_ATTRIBUTES. */
const resourceOf = (component: string, { serviceName, resourceAttributes }: Config["tracing"]) => ({
  "service.name": `groundwire-${component}`,
  "service.version": packageJson.version,
  "service.instance.id": crypto.randomUUID(),
  ...parsePairs(resourceAttributes),
  ...(serviceName && { "service.name": serviceName }),
  "groundwire.component": component,
});

const samplerOf = ({ sampler, samplerArg }: Config["tracing"]): Sampler => {
  const [, parent, name = sampler] = /^(parentbased_)(.+)$/.exec(sampler) ?? [];
  const root =
    name === "always_off"
      ? new AlwaysOffSampler()
      : name === "traceidratio"
        ? new TraceIdRatioBasedSampler(samplerArg)
        : new AlwaysOnSampler();
  return parent ? new ParentBasedSampler({ root }) : root;
};

/** Logs when the collector stops accepting spans and when it accepts them again, instead of every failure. */
const reportOutages = (exporter: SpanExporter, log: TracerOptions["log"]): SpanExporter => {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const hasFailed = result.code !== 0;
        if (hasFailed && !isFailing) {
          log.warn({ err: result.error }, "traces can't be sent; check OTEL_EXPORTER_OTLP_ENDPOINT");
        }
        if (!hasFailed && isFailing) log.info("traces are being sent again");
        isFailing = hasFailed;
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
};
