/* A negative verdict before a statement: "No, batteries are not included." It answers the question and denies nothing behind it. */

const REGRET =
  "unfortunately|regrettably|sadly|sorry|leider|malheureusement|lamentablemente|desafortunadamente|infelizmente|purtroppo|helaas";
const NO = "no|nope|nah|nein|non|não|nao|nee";
/** "they aren't", "you can't" */
const ECHO = String.raw`(?:it|this|that|he|she|they|there|you|we|i)\s(?:(?:is|are|was|were|does|do|did|has|have|had|could|would|should|must)(?:n['’]t|\snot)|can['’]t|cannot|won['’]t)`;
const MARK = String.raw`[\s*_]*(?:[,;:.!]|\s[-–—]|—)[\s*_]*`;

const LEAD = new RegExp(
  [
    String.raw`^[\s*_"“]*(?:`,
    String.raw`(?:(?:${REGRET}),?\s)?(?:${NO})${MARK}(?:${ECHO}${MARK})?(?:(?:${REGRET}),?\s)?`,
    String.raw`|(?:${REGRET}),?\s(?:not|nicht|pas|niet)${MARK}`,
    String.raw`|(?:of course|absolutely|certainly|definitely)\snot${MARK}|not\s(?:really|at all)${MARK}`,
    String.raw`)(?=[*_"“]*[\p{L}\p{N}€$£])`,
  ].join(""),
  "iu",
);
/** "No. 5" */
const NUMBER = /^\W*no\.\s?\p{Nd}/iu;

/** The length of the "no" with which a sentence starts, with the punctuation behind it; 0 if it starts with none. */
export const verdictLead = (sentence: string): number =>
  NUMBER.test(sentence) ? 0 : (LEAD.exec(sentence)?.[0].length ?? 0);
