import type { Config } from "../config";

/** Receives traces as OTLP over HTTP, in protobuf. */
export interface Collector {
  url: string;
  headers: Record<string, string>;
}

/** undefined: nothing is traced. */
export const collectorOf = (tracing: Config["tracing"]): Collector | undefined => {
  const { isDisabled, endpoint, tracesEndpoint, headers } = tracing;
  const url = tracesEndpoint ?? (endpoint && `${endpoint.replace(/\/+$/, "")}/v1/traces`);
  return isDisabled || url === undefined ? undefined : { url, headers: parsePairs(headers) };
};

/** `name=value,name2=value2` with percent-encoded values, as in `OTEL_RESOURCE_ATTRIBUTES`. The settings check the form. */
export const parsePairs = (text = ""): Record<string, string> =>
  Object.fromEntries(
    text
      .split(",")
      .filter((pair) => pair.includes("="))
      .map((pair) => {
        const at = pair.indexOf("=");
        return [pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())];
      }),
  );

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
