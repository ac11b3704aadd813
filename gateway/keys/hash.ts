/** SHA-256 in base64. The secrets here are long and random: a slow hash would protect them no better. */
export const digestOf = (secret: string): string => Bun.SHA256.hash(secret, "base64");

/** The same as the 32 bytes that the database keeps. */
export const hashOf = (secret: string): Buffer => Buffer.from(digestOf(secret), "base64");
