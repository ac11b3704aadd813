import { Type } from "@sinclair/typebox";
import { choice, flag, optionalText, webAddress } from "./setting-kinds";

/** The format of headers and attributes in OpenTelemetry's variables. */
const pairs = {
  pattern: "^[^=,]+=[^,]*(,[^=,]+=[^,]*)*,?$",
  expected: "pairs such as name=value, separated by commas",
};

/** OpenTelemetry's variables, with the names that its specification gives them. */
export const TracingSettings = Type.Object({
  endpoint: optionalText(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "Collector that receives traces as OTLP over HTTP, such as http://127.0.0.1:4318; if omitted, nothing is traced",
    webAddress,
  ),
  tracesEndpoint: optionalText(
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "Complete address for traces, if it is not /v1/traces on that collector",
    webAddress,
  ),
  headers: optionalText("OTEL_EXPORTER_OTLP_HEADERS", "Headers for the collector, such as x-api-key=…", {
    secret: true,
    ...pairs,
  }),
  sampler: choice(
    "OTEL_TRACES_SAMPLER",
    "Which traces are recorded; parentbased: follows the caller's traceparent, if there is one",
    [
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
      "always_on",
      "always_off",
      "traceidratio",
    ],
    "parentbased_always_on",
  ),
  samplerArg: Type.Number({
    env: "OTEL_TRACES_SAMPLER_ARG",
    description: "Fraction of traces that the traceidratio samplers record",
    minimum: 0,
    maximum: 1,
    default: 1,
  }),
  serviceName: optionalText(
    "OTEL_SERVICE_NAME",
    "Name of the process in traces; if omitted, groundwire-gateway, groundwire-gpu-node or groundwire-jobs",
  ),
  resourceAttributes: optionalText(
    "OTEL_RESOURCE_ATTRIBUTES",
    "Additional attributes of the process in traces, such as deployment.environment.name=production",
    pairs,
  ),
  isDisabled: flag("OTEL_SDK_DISABLED", "Turn tracing off even if a collector is set", false),
});
