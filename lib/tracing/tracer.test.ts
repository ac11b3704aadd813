import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { startOtlpReceiver } from "../../tests/otlp-receiver";
import type { Config } from "../config";
import { defaultConfig, readSettings } from "../settings";
import { openTracer } from "./open-tracer";
import { readTraceparent, type Tracer } from "./tracer";

let receiver: ReturnType<typeof startOtlpReceiver>;
let logged: string[];
beforeEach(() => {
  receiver = startOtlpReceiver();
  logged = [];
});
afterEach(() => receiver.close());

const log = {
  warn: (_: unknown, text?: string) => logged.push(`warn: ${text}`),
  info: (text: unknown) => logged.push(`info: ${text}`),
};

const open = async (tracing: Partial<Config["tracing"]> = {}): Promise<Tracer> => {
  const config = defaultConfig({ tracing: { endpoint: receiver.url, ...tracing } });
  const tracer = await openTracer("gateway", config, log as never);
  if (!tracer) throw new Error("Tracing is off.");
  return tracer;
};

const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

describe("tracing is off", () => {
  test.each<[string, Partial<Config["tracing"]>]>([
    ["without a collector", {}],
    ["if OTEL_SDK_DISABLED is set", { endpoint: "http://127.0.0.1:1", isDisabled: true }],
  ])("%s", async (_, tracing) => {
    expect(await openTracer("gateway", defaultConfig({ tracing }), log as never)).toBeUndefined();
  });
});

test("a span has the caller's trace, its own id, steps and attributes, and leaves out missing values", async () => {
  const tracer = await open();
  const before = Date.now() * 1e6;
  const startedAt = performance.now();
  const span = tracer.start("work", { kind: "server", parent: `${PARENT}-01`, attributes: { a: 1, b: undefined } });
  const [, traceId, spanId] = span.traceparent.split("-");
  expect([span.traceId, span.traceparent]).toEqual(["4bf92f3577b34da6a3ce929d0e0e4736", `00-${traceId}-${spanId}-01`]);
  span.step("half", startedAt, startedAt + 0.5);
  span.set({ list: ["x"], share: 0.5, is: true });
  span.event("happened", { n: 2 });
  span.fail("overloaded", false);
  span.end();
  span.end();
  await tracer.close();
  const [step, found, ...others] = receiver.spans();
  expect([step?.name, step?.parentId, others]).toEqual(["half", spanId ?? "", []]);
  expect((step?.endNs ?? 0) - (step?.startNs ?? 0)).toBeCloseTo(500_000, -4);
  expect(found).toMatchObject({
    name: "work",
    kind: "server",
    parentId: "00f067aa0ba902b7",
    attributes: { a: 1, list: ["x"], share: 0.5, is: true, "error.type": "overloaded" },
    events: [{ name: "happened", attributes: { n: 2 } }],
    isError: false,
  });
  expect(Object.keys(found?.attributes ?? {})).not.toContain("b");
  expect(Math.abs((found?.startNs ?? 0) - before) / 1e6).toBeLessThan(60_000);
});

describe("sampling", () => {
  const sampled = async (tracing: Partial<Config["tracing"]>, parent?: string): Promise<[boolean, string]> => {
    const tracer = await open(tracing);
    const span = tracer.start("work", { kind: "internal", parent });
    span.step("step", 0, 1);
    span.end();
    await tracer.close();
    return [receiver.spans().length > 0, span.traceparent.slice(-2)];
  };

  test.each<[Config["tracing"]["sampler"], number, string | undefined, boolean]>([
    ["parentbased_always_on", 1, undefined, true],
    ["parentbased_always_on", 1, `${PARENT}-00`, false],
    ["parentbased_always_off", 1, undefined, false],
    ["parentbased_always_off", 1, `${PARENT}-01`, true],
    ["parentbased_traceidratio", 0, undefined, false],
    ["always_on", 1, `${PARENT}-00`, true],
    ["always_off", 1, `${PARENT}-01`, false],
    ["traceidratio", 0, `${PARENT}-01`, false],
    ["traceidratio", 1, `${PARENT}-00`, true],
  ])("%s, argument %p, caller %p: %p", async (sampler, samplerArg, parent, isSampled) => {
    expect(await sampled({ sampler, samplerArg }, parent)).toEqual([isSampled, isSampled ? "01" : "00"]);
  });
});

test("the resource has the service's name, version and the configured attributes", async () => {
  const resourceOf = async (tracing: Partial<Config["tracing"]>) => {
    const tracer = await open(tracing);
    tracer.start("work", { kind: "internal" }).end();
    await tracer.close();
    return receiver.spans().at(-1)?.resource;
  };
  const common = { "service.version": expect.any(String), "service.instance.id": expect.any(String) };
  expect(await resourceOf({})).toMatchObject({ ...common, "service.name": "groundwire-gateway" });
  const resourceAttributes = "service.name=ignored, team=search%20and%20find";
  expect(await resourceOf({ resourceAttributes, serviceName: "llm" })).toMatchObject({
    ...common,
    "service.name": "llm",
    team: "search and find",
    "groundwire.component": "gateway",
  });
});

test("an outage of the collector is logged once, and its end too", async () => {
  const tracer = await open();
  const send = async (status: number) => {
    receiver.state.status = status;
    tracer.start("work", { kind: "internal" }).end();
    await tracer.flush();
  };
  for (const status of [400, 400, 200, 200]) await send(status);
  expect(logged).toEqual([
    "warn: traces can't be sent; check OTEL_EXPORTER_OTLP_ENDPOINT",
    "info: traces are being sent again",
  ]);
  await tracer.close();
});

test("closing succeeds if the collector is down", async () => {
  const tracer = await open({ endpoint: "http://127.0.0.1:1" });
  tracer.start("work", { kind: "internal" }).end();
  expect(await tracer.close()).toBeUndefined();
});

test("a traceparent with an unknown version, or an id of zeros, is ignored", () => {
  expect(readTraceparent(`${PARENT}-01`)).toBe(`${PARENT}-01`);
  for (const header of [
    null,
    undefined,
    "",
    "00-xyz",
    `ff${PARENT.slice(2)}-01`,
    `00-${"0".repeat(32)}-${"a".repeat(16)}-01`,
  ])
    expect(readTraceparent(header)).toBeUndefined();
});

describe("the standard variables", () => {
  test("are settings", () => {
    const { config } = readSettings(
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic abc=,x-tenant=a",
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.1",
        OTEL_SDK_DISABLED: "true",
      },
      "/",
    );
    expect(config.tracing).toMatchObject({
      endpoint: "http://collector:4318",
      headers: "authorization=Basic abc=,x-tenant=a",
      sampler: "parentbased_traceidratio",
      samplerArg: 0.1,
      isDisabled: true,
    });
  });

  test("are refused if a collector would not understand them, without showing a secret", () => {
    const wrong = { OTEL_EXPORTER_OTLP_HEADERS: "a secret", OTEL_TRACES_SAMPLER: "sometimes" };
    expect(() => readSettings(wrong, "/")).toThrow(/OTEL_EXPORTER_OTLP_HEADERS is a secret of 8 characters/);
    expect(() => readSettings(wrong, "/")).toThrow(/OTEL_TRACES_SAMPLER .*parentbased_always_on/);
  });
});
