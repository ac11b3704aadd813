/* A small OTLP receiver for tests: collects the spans that the product exports, as protobuf over HTTP. */

/** One field of a protobuf message: a number, or the bytes of a string or a message. */
type Field = { number: number; value: bigint | Uint8Array };

/** Parses a protobuf message (https://protobuf.dev/programming-guides/encoding/). */
const fieldsOf = (bytes: Uint8Array): Field[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): number => {
    at += length;
    return at - length;
  };
  const read = (wireType: number): Field["value"] => {
    if (wireType === 0) return varint();
    if (wireType === 1) return view.getBigUint64(take(8), true);
    if (wireType === 5) return BigInt(view.getUint32(take(4), true));
    const from = take(Number(varint()));
    return bytes.subarray(from, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    fields.push({ number: tag >> 3, value: read(tag & 7) });
  }
  return fields;
};

const bytesOf = (value: Field["value"] | undefined): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array();
const numberOf = (value: Field["value"] | undefined): number => (typeof value === "bigint" ? Number(value) : 0);
const textOf = (value: Field["value"] | undefined): string => new TextDecoder().decode(bytesOf(value));
const hexOf = (value: Field["value"] | undefined): string => Buffer.from(bytesOf(value)).toString("hex");
const find = (fields: Field[], number: number) => fields.find((field) => field.number === number)?.value;
const messages = (fields: Field[], number: number): Field[][] =>
  fields.filter((field) => field.number === number).map(({ value }) => fieldsOf(bytesOf(value)));

type Value = string | number | boolean | Value[];

/** opentelemetry.proto.common.v1.AnyValue: a string, flag, integer, double or list. */
const attributeValue = ([field]: Field[]): Value => {
  if (field?.number === 1) return textOf(field.value);
  if (field?.number === 2) return field.value === 1n;
  if (field?.number === 3) return Number(BigInt.asIntN(64, field.value as bigint));
  if (field?.number === 4) return new Float64Array(new BigUint64Array([field.value as bigint]).buffer)[0] ?? 0;
  return messages(fieldsOf(bytesOf(field?.value)), 1).map(attributeValue);
};

const attributesOf = (fields: Field[], number: number): Record<string, Value> =>
  Object.fromEntries(
    messages(fields, number).map((pair) => [textOf(find(pair, 1)), attributeValue(messages(pair, 2)[0] ?? [])]),
  );

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];

export interface ReceivedSpan {
  /** `service.name` of the process. */
  service: string;
  resource: Record<string, Value>;
  traceId: string;
  spanId: string;
  /** "" for the first span of a trace. */
  parentId: string;
  name: string;
  kind: string;
  attributes: Record<string, Value>;
  events: { name: string; attributes: Record<string, Value> }[];
  links: { traceId: string; spanId: string }[];
  /** Nanoseconds since 1970. */
  startNs: number;
  endNs: number;
  isError: boolean;
}

/** opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest. */
const readSpans = (body: Uint8Array): ReceivedSpan[] =>
  messages(fieldsOf(body), 1).flatMap((group) => {
    const resource = attributesOf(messages(group, 1)[0] ?? [], 1);
    const spans = messages(group, 2).flatMap((scope) => messages(scope, 2));
    return spans.map((span) => ({
      service: String(resource["service.name"]),
      resource,
      traceId: hexOf(find(span, 1)),
      spanId: hexOf(find(span, 2)),
      parentId: hexOf(find(span, 4)),
      name: textOf(find(span, 5)),
      kind: KINDS[numberOf(find(span, 6))] ?? "",
      startNs: numberOf(find(span, 7)),
      endNs: numberOf(find(span, 8)),
      attributes: attributesOf(span, 9),
      events: messages(span, 11).map((event) => ({ name: textOf(find(event, 2)), attributes: attributesOf(event, 3) })),
      links: messages(span, 13).map((link) => ({ traceId: hexOf(find(link, 1)), spanId: hexOf(find(link, 2)) })),
      isError: numberOf(find(messages(span, 15)[0] ?? [], 3)) === 2,
    }));
  });

export const startOtlpReceiver = () => {
  const state = { status: 200, requests: [] as { path: string; headers: Headers; body: Uint8Array }[] };
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      state.requests.push({ path, headers: request.headers, body });
      return new Response(null, { status: state.status });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    state,
    spans: (): ReceivedSpan[] => state.requests.flatMap(({ body }) => readSpans(body)),
    close: () => server.stop(true),
  };
};
