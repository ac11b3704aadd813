/** The prefix of this gateway's signatures. Those of other servers can't be read. */
const PREFIX = "gw1.";

/**
 * The signature of a thinking block. It verifies nothing, but clients only send back blocks that have one. If the
 * block's text is omitted, the signature contains it, so that the model can read it in the next request.
 */
export const signatureOf = (reasoning: string, isOmitted: boolean): string =>
  PREFIX + (isOmitted ? Buffer.from(reasoning).toString("base64url") : "");

/** The text of a thinking block that a client sent back; empty if only another server can read it. */
export const reasoningIn = ({ thinking, signature = "" }: { thinking: string; signature?: string }): string => {
  if (thinking !== "" || !signature.startsWith(PREFIX)) return thinking;
  return Buffer.from(signature.slice(PREFIX.length), "base64url").toString();
};
