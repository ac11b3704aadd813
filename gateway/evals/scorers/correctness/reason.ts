import type { CorrectnessFindings } from "./features";
import type { Match } from "./match";

const LONGEST_QUOTE = 80;
/** At most this many words of what the answer names instead of a reference are quoted. */
const MAX_RIVALS = 3;
/** A share of at least this counts as most of the words. */
const MOST = 0.5;

const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > LONGEST_QUOTE ? `"${line.slice(0, LONGEST_QUOTE - 1).toWellFormed()}…"` : `"${line}"`;
};

const spotted = (matched: Match, { setting, features }: CorrectnessFindings): string => {
  const name = quote(matched.alias.reference);
  if (features.opposite > 0) return `The answer contradicts the reference ${name}.`;
  if (setting.isDenied) return `The answer mentions the reference ${name} but denies it.`;
  if (setting.sentence !== null && setting.sentence > 0) {
    const rival = setting.rivals.slice(0, MAX_RIVALS).join(" ");
    const first = rival ? `, after ${quote(rival)}` : "";
    return `The answer mentions the reference ${name} only in sentence ${setting.sentence + 1}${first}.`;
  }
  const { given } = matched.fact ?? {};
  return given && given.text !== matched.alias.text
    ? `The answer says ${given.text}, which matches the reference ${name}.`
    : `The answer contains the reference ${name}.`;
};

const missed = (closest: Match, { features, setting, matches, refusal }: CorrectnessFindings): string => {
  const name = quote(closest.alias.reference);
  const fact = matches.find((match) => match.fact?.verdict === "other" || match.fact?.verdict === "part");
  if (fact?.fact?.given) {
    const part = fact.fact.verdict === "part" ? "only " : "";
    return `The answer says ${part}${fact.fact.given.text}, but the reference is ${fact.alias.reference}.`;
  }
  if (features.opposite > 0) return `The answer contradicts the reference ${name}.`;
  if (refusal > 0 && closest.recall < MOST)
    return `The answer declines or says it doesn't know. The reference is ${name}.`;
  if (features.bareInside > 0) return `The answer is only part of the reference ${name}.`;
  const rivals = setting.rivals.slice(0, MAX_RIVALS).join(" ");
  const instead = rivals ? ` It mentions ${quote(rivals)} instead.` : "";
  if (closest.recall >= MOST)
    return `The answer contains most, but not all, of the words of the reference ${name}.${instead}`;
  return closest.recall > 0
    ? `The answer shares few words with the closest reference, ${name}.${instead}`
    : `The answer shares no words with the closest reference, ${name}.${instead}`;
};

/** Explains the score to a person in one or two sentences. */
export const reasonFor = (findings: CorrectnessFindings, value: number): string => {
  const [closest] = findings.matches;
  if (!closest) return "The references contain no words to compare with.";
  const matched = findings.matches.find(({ isMatched }) => isMatched);
  const said = matched ? spotted(matched, findings) : missed(closest, findings);
  const isPassed = value >= 0.5;
  if (isPassed && !matched) return `${said} Its meaning is close enough to pass.`;
  if (!isPassed && matched && !findings.setting.isDenied)
    return `${said} The rest of the answer lowers the score below the threshold.`;
  return said;
};
