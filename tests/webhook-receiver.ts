/** One request that a receiver got. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

type Reply = number | Response | (() => Response | Promise<Response>);

/** A real receiver of webhooks on 127.0.0.1. It replies with `replies` in order, then as `replyTo` says, or with 200. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  replies: Reply[] = [];
  replyTo?: (request: Received) => Promise<Response>;
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const received = { path, headers: Object.fromEntries(request.headers), body: await request.text() };
      this.received.push(received);
      const reply = this.replies.shift() ?? (await this.replyTo?.(received)) ?? 200;
      if (typeof reply === "function") return reply();
      return typeof reply === "number" ? new Response(`a ${reply}`, { status: reply }) : reply;
    },
  });

  /** By its address; `localhost` has to be resolved. */
  url(path = "/hook", host = "127.0.0.1"): string {
    return `http://${host}:${this.#server.port}${path}`;
  }

  /** The bodies of the requests so far. */
  get events(): { id: string; type: string; created_at: string; data: Record<string, unknown> }[] {
    return this.received.map(({ body }) => JSON.parse(body));
  }

  stop = (): Promise<void> => this.#server.stop(true);
}

/**
 * Whether a request has a valid signature of this secret, checked as in the specification, without any code of
 * Groundwire.
 */
export const isSignedWith = async (
  secret: string,
  { headers, body }: Received,
  maxAgeSeconds = 300,
): Promise<boolean> => {
  const bytes = Uint8Array.fromBase64(secret.replace("whsec_", ""));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const signed = new TextEncoder().encode(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signatures = (headers["webhook-signature"] ?? "").split(" ").map((each) => each.split(","));
  const isRecent = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) < maxAgeSeconds;
  const results = signatures.map(
    async ([version, value = ""]) =>
      version === "v1" && (await crypto.subtle.verify("HMAC", key, Uint8Array.fromBase64(value), signed)),
  );
  return isRecent && (await Promise.all(results)).includes(true);
};
