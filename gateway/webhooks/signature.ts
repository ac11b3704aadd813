import { createHmac, randomBytes } from "node:crypto";
import type { WebhookSecret } from "../../db/webhooks";

/** Signatures as in the Standard Webhooks specification, https://www.standardwebhooks.com. */
const PREFIX = "whsec_";
const SECRET_BYTES = 32;

export const newSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString("base64");

/** The secrets that sign at `now`, newest first. */
export const activeSecrets = (secrets: readonly WebhookSecret[], now: Date): WebhookSecret[] =>
  secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now.getTime());

/** The signature of `id.timestamp.body` with each secret, separated by spaces: `v1,<base64> v1,<base64>`. */
export const signatureOf = (
  secrets: readonly Pick<WebhookSecret, "secret">[],
  { id, timestamp, body }: { id: string; timestamp: number; body: string },
): string =>
  secrets
    .map(({ secret }) => {
      const key = Buffer.from(secret.slice(PREFIX.length), "base64");
      return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
    })
    .join(" ");
