import type { CorrectnessFindings } from "./features";
import type { Match } from "./match";

const LONGEST_QUOTE = 80;
/** Words that are quoted of what the answer names in place of a reference. */
const MOST_RIVALS = 3;
/** From here on a share of words counts as most of them. */
const MOST = 0.5;

const quote = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > LONGEST_QUOTE ? `"${line.slice(0, LONGEST_QUOTE - 1).toWellFormed()}…"` : `"${line}"`;
};

const spotted = (stated: Match, { setting, features }: CorrectnessFindings): string => {
  const name = quote(stated.alias.reference);
  if (features.opposite > 0) return `The answer says the opposite of the reference ${name}.`;
  if (setting.isDenied) return `The answer names the reference ${name} but denies it.`;
  if (setting.sentence !== null && setting.sentence > 0) {
    const rival = setting.rivals.slice(0, MOST_RIVALS).join(" ");
    const first = rival ? `, after it speaks of ${quote(rival)}` : "";
    return `The answer says the reference ${name} only in its sentence ${setting.sentence + 1}${first}.`;
  }
  const { given } = stated.fact ?? {};
  return given && given.text !== stated.alias.text
    ? `The answer gives ${given.text}, which agrees with the reference ${name}.`
    : `The answer says the reference ${name}.`;
};

const missed = (likest: Match, { features, setting, matches, refusal }: CorrectnessFindings): string => {
  const name = quote(likest.alias.reference);
  const fact = matches.find((match) => match.fact?.verdict === "other" || match.fact?.verdict === "part");
  if (fact?.fact?.given) {
    const part = fact.fact.verdict === "part" ? "only " : "";
    return `The answer gives ${part}${fact.fact.given.text}, the references ${fact.alias.reference}.`;
  }
  if (features.opposite > 0) return `The answer says the opposite of the reference ${name}.`;
  if (refusal > 0 && likest.recall < MOST)
    return `The answer declines, or says that it doesn't know; the reference is ${name}.`;
  if (features.bareInside > 0) return `The answer is a part of the reference ${name}.`;
  const rivals = setting.rivals.slice(0, MOST_RIVALS).join(" ");
  const instead = rivals ? ` It speaks of ${quote(rivals)}.` : "";
  if (likest.recall >= MOST)
    return `The answer has most words of the reference ${name}, but not all of them.${instead}`;
  return likest.recall > 0
    ? `The answer has few words of the likest reference, ${name}.${instead}`
    : `The answer has no word of the likest reference, ${name}.${instead}`;
};

/** Why an answer got its value, in one or two sentences for a person. */
export const reasonFor = (findings: CorrectnessFindings, value: number): string => {
  const [likest] = findings.matches;
  if (!likest) return "No reference has a word to compare with.";
  const stated = findings.matches.find(({ isStated }) => isStated);
  const said = stated ? spotted(stated, findings) : missed(likest, findings);
  const isPassed = value >= 0.5;
  if (isPassed && !stated) return `${said} Its meaning is close enough.`;
  if (!isPassed && stated && !findings.setting.isDenied) return `${said} The rest of it speaks against.`;
  return said;
};
