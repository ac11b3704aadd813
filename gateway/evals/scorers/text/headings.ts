/* Headings in Markdown and the header rows of its tables. They name what follows and claim nothing. */

const HASHES = /^\s{0,3}#{1,6}\s+(?<title>.*?)[\s#]*$/u;
const BOLD = /^\s*(?:\p{Nd}{1,2}[.)]\s+)?(?<mark>\*{2,3}|__)(?<title>[^*]+?)\k<mark>\s*:?\s*$/u;
const UNDERLINE = /^\s{0,3}(?:={2,}|-{2,})\s*$/u;
const TABLE_RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$/u;

/** Matches the end of a sentence, or a verb: "# 3 people died" is a claim. */
const SENTENCE =
  /[.!。！]["'”’)\]]*\s*$|(?<!\p{L})(?:is|are|was|were|has|have|had|will|can|could|should|must|may|might|does|did|became|rose|fell|grew|won|lost|ist|sind|war|wird|wurden?|hat|fue|está|sont)(?!\p{L})|\p{Ll}{2}ed(?=$|\s(?:in|on|at|by|from|to|for|with|the|an?|\p{Nd}))/u;

/** Maximum length of a heading's line. */
const MAX_LINE_CHARACTERS = 200;

/** The text of `line` if it is a heading. `next` is the line below it. */
const titleOf = (line: string, next: string): string | undefined => {
  const marked = HASHES.exec(line)?.groups?.title ?? (BOLD.test(next) ? undefined : BOLD.exec(line)?.groups?.title);
  return marked ?? (UNDERLINE.test(next) && !line.includes("|") ? line : undefined);
};

/**
 * Replaces headings and header rows with spaces. The length does not change. A line is only a heading if there is text
 * below it.
 */
export const maskHeadings = (text: string): string => {
  const lines = text.split("\n");
  let below = "";
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] ?? "";
    if (line.length > MAX_LINE_CHARACTERS) {
      below = line.slice(0, MAX_LINE_CHARACTERS);
      continue;
    }
    const next = (lines[at + 1] ?? "").slice(0, MAX_LINE_CHARACTERS);
    const title = titleOf(line, UNDERLINE.test(next) ? next : below);
    const isHeading = below !== "" && title !== undefined && !SENTENCE.test(title);
    if (isHeading || (line.includes("|") && TABLE_RULE.test(next))) lines[at] = " ".repeat(line.length);
    if (/[\p{L}\p{N}]/u.test(line)) below = line;
  }
  return lines.join("\n");
};
