import type { Claim } from "../../contract";
import type { Silence } from "./claims";

/** Value and reason of an answer without claims. */
export const SILENCE: Readonly<Record<Silence, { value: number; reason: string }>> = {
  empty: { value: 0, reason: "The answer is empty: it claims nothing." },
  abstention: { value: 1, reason: "The answer says that the contexts don't tell, and claims nothing else." },
  other: { value: 0.25, reason: "The answer says nothing that could be looked up in the contexts." },
};

const LONGEST_QUOTE = 90;

/** The text between quotation marks on one line, cut at a character's border. */
const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= LONGEST_QUOTE ? `"${line}"` : `"${line.slice(0, LONGEST_QUOTE).toWellFormed()}…"`;
};

const countOf = (claims: readonly Claim[], verdict: Claim["verdict"]): number =>
  claims.filter((claim) => claim.verdict === verdict).length;

const tally = (claims: readonly Claim[]): string => {
  const [only, ...others] = claims;
  if (only && others.length === 0)
    return `The one claim is ${only.verdict === "partly" ? "partly supported" : only.verdict}.`;
  const counts = `${countOf(claims, "supported")} supported, ${countOf(claims, "partly")} partly, ${countOf(claims, "unsupported")} not`;
  return `Of ${claims.length} claims: ${counts}.`;
};

const weakestOf = (claims: readonly Claim[]): Claim | undefined => claims.toSorted((a, b) => a.score - b.score)[0];

/** What is wrong with the weakest claim, in the answer's own words. */
const doubt = (output: string, claims: readonly Claim[]): string | undefined => {
  const [span] = weakestOf(claims)?.unsupported ?? [];
  return span ? `${quote(output.slice(span.start, span.end))}: ${span.note}` : undefined;
};

/** Why a verdict on the answer differs from that on its claims. */
const balance = (claims: readonly Claim[], isFaithful: boolean): string | undefined => {
  const hasDoubt = claims.some(({ verdict }) => verdict !== "supported");
  if (isFaithful && hasDoubt) return "As a whole the answer keeps to the contexts.";
  if (isFaithful || hasDoubt) return undefined;
  const weakest = quote(weakestOf(claims)?.text ?? "");
  return claims.length === 1
    ? "Yet too much of the answer stands outside of it, or is only loosely backed."
    : `Yet small doubts about many claims add up; the weakest is ${weakest}.`;
};

export const faithfulnessReason = (output: string, claims: readonly Claim[], isFaithful: boolean): string =>
  [tally(claims), doubt(output, claims), balance(claims, isFaithful)].filter(Boolean).join(" ");

export const hallucinationReason = (claims: readonly Claim[]): string => {
  const unsupported = countOf(claims, "unsupported");
  if (unsupported === 0) return "No claim is wholly unsupported.";
  return claims.length === 1
    ? "The one claim is unsupported."
    : `${unsupported} of ${claims.length} claims ${unsupported === 1 ? "is" : "are"} unsupported.`;
};
