import { Type } from "@sinclair/typebox";
import { NETWORK, optionalText, text, webAddress, whole } from "./setting-kinds";

/** An origin as browsers send it, or `*`. */
const ORIGIN = "^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[^\\s/?#@,*]+)$";
/** A host name, or `*.` and a domain, with an optional port. The last label starts with a letter: no IP address. */
const IMAGE_HOST = "^(\\*\\.([a-z0-9-]+\\.)+|([a-z0-9-]+\\.)*)[a-z][a-z0-9-]*(:\\d{1,5})?$";

const mib = 1_048_576;
const minute = 60_000;

/** The settings of the gateway. The nodes use some of them too. */
export const GatewaySettings = Type.Object({
  host: text("GROUNDWIRE_HOST", "Address that the gateway listens on; 0.0.0.0 for all", { default: "127.0.0.1" }),
  port: whole("GROUNDWIRE_PORT", "Port of the gateway: API and pages; 0: any free one", 8080, 0, 65535),
  publicUrl: optionalText(
    "GROUNDWIRE_PUBLIC_URL",
    "Public address, if the gateway is behind a proxy, such as https://ai.example.com",
    webAddress,
  ),
  adminKey: optionalText(
    "GROUNDWIRE_ADMIN_KEY",
    "Admin key for automation, at least 32 characters; if omitted, one is created on the first run",
    { secret: true, minLength: 32 },
  ),
  nodes: Type.Array(Type.String({ pattern: webAddress.pattern }), {
    env: "GROUNDWIRE_NODES",
    expected: "addresses that begin with http:// or https://, separated by commas",
    description: "Addresses of the GPU nodes, separated by commas; if omitted, the node on this machine",
    default: [],
  }),
  nodeToken: optionalText(
    "GROUNDWIRE_NODE_TOKEN",
    "Token shared by gateway and nodes; required if a node listens beyond this machine",
    { secret: true },
  ),
  nodeConnections: whole("GROUNDWIRE_NODE_CONNECTIONS", "HTTP/2 connections to each node", 2, 1, 16),
  corsOrigins: Type.Array(Type.String({ pattern: ORIGIN }), {
    env: "GROUNDWIRE_CORS_ORIGINS",
    expected: "origins such as https://app.example.com, without a path, separated by commas; or * for any origin",
    description:
      "Origins whose pages may call the API from a browser, separated by commas, such as https://app.example.com; * for any; default: none",
    default: [],
  }),
  trustedProxies: Type.Array(Type.String({ pattern: NETWORK }), {
    env: "GROUNDWIRE_TRUSTED_PROXIES",
    expected: "addresses or networks such as 10.1.0.0/16, separated by commas",
    description: "Proxies whose x-forwarded-for is trusted, separated by commas, such as 10.1.0.0/16; default: none",
    default: [],
  }),
  maxBodyBytes: whole("GROUNDWIRE_MAX_BODY_BYTES", "Maximum size of a JSON body", 4 * mib, 1024, 1024 * mib),
  maxMediaBodyBytes: whole(
    "GROUNDWIRE_MAX_MEDIA_BODY_BYTES",
    "Maximum size of a chat request with images or audio; GROUNDWIRE_MAX_BODY_BYTES limits everything else in it. Set both on the gateway and on the nodes",
    32 * mib,
    1024,
    1024 * mib,
  ),
  imageHosts: Type.Array(Type.String({ pattern: IMAGE_HOST }), {
    env: "GROUNDWIRE_IMAGE_HOSTS",
    expected:
      "host names in lower case such as images.example.com, *.example.com or minio:9000, separated by commas; no IP addresses",
    description:
      "Hosts from which models' servers may fetch images, separated by commas, such as images.example.com, or *.example.com for all subdomains; default: none",
    default: [],
  }),
  requestsPerMinute: whole("GROUNDWIRE_REQUESTS_PER_MINUTE", "Default requests per minute and key", 600, 1, 10_000_000),
  parallelRequests: whole("GROUNDWIRE_PARALLEL_REQUESTS", "Default parallel requests per key", 64, 1, 100_000),
  gpuPricePerHour: Type.Optional(
    Type.Number({
      env: "GROUNDWIRE_GPU_PRICE_PER_HOUR",
      description: "Total hourly price of all rented machines, used for the costs on the dashboard, such as 2.49",
      minimum: 0,
      maximum: 1_000_000,
    }),
  ),
  currency: text("GROUNDWIRE_CURRENCY", "Currency of that price, as an ISO 4217 code", {
    default: "USD",
    pattern: "^[A-Z]{3}$",
    expected: "three capital letters, such as USD or EUR",
  }),
  busyMaxTokens: whole(
    "GROUNDWIRE_BUSY_MAX_TOKENS",
    "Maximum length of interactive answers, in tokens, while the nodes' queues are more than half full",
    512,
    1,
    1_000_000,
  ),
  drainMs: whole("GROUNDWIRE_DRAIN_MS", "Milliseconds for answers to finish on SIGTERM", 30_000, 0, 10 * minute),
});
