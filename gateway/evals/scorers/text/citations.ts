/*
 * Citation markers ("[1]", "【1†source】", "(Source: guide.pdf, p. 3)") and attributions ("According to the documents,").
 * They give the source of a claim and claim nothing themselves. Both are replaced with spaces, which keeps the offsets.
 * Every pattern is bounded, so time is linear in the length of the text.
 */

/** Code is left unchanged: `items[1]`. */
export const CODE = "```[\\s\\S]{0,20000}?```|`[^`\\n]{1,500}`";

/** Words for the contexts in German, Spanish, French, Italian, Portuguese and Dutch. */
export const SOURCE_ELSEWHERE = String.raw`(?:d[oi][ck]ument|[ck]onte[xs]t|te[xks]t|unterlage|quelle|angabe|artikel|art[ií]cul|passa[gj]e|pasaje|abschnitt|fuente|fonte|extrait|extracto|bron)\p{L}{0,3}`;
const NUMBERS = String.raw`#?\d{1,3}(?:\s?[,;–-]\s?#?\d{1,3}){0,20}`;
/** A number in square brackets: "[1]", "[1, 2]", "[[1]]", "[^1]", "^[1]", "[1](https://…)". */
const BRACKETED = String.raw`\^?\[(?:\[${NUMBERS}\]|${NUMBERS}|\^\d{1,3}\^?)\](?:\([^()\s]{1,300}\))?`;

const PLACE = String.raw`(?:sources?|docs?\.?|documents?|${SOURCE_ELSEWHERE}|refs?\.?|references?|citations?|cite|passages?|contexts?|chunks?|snippets?|excerpts?|pages?|pp?\.|ids?)`;
const NUMBERED = String.raw`(?:see\s|cf\.\s|from\s|in\s)?${PLACE}(?:\sid)?[\s_-]?[:#]?\s?(?:no\.\s?)?(?:\d{1,4}|\s[a-z]\b)(?:\s?(?:[,;&–-]|and\b)\s?(?:${PLACE}\s?[:#]?\s?)?\d{1,4}){0,20}`;
const NAMED = String.raw`(?:sources?|refs?|references?|citations?|cite|quellen?|fuentes?|fonti|fonte)\s?:[^\[\]()\n]{1,200}`;
const FILE = String.raw`[^\[\]()\n]{1,80}\.(?:pdf|docx?|txt|md|html?|csv|xlsx?|pptx?|json)`;
/** A place within a source: "p. 45", "line 14", "Section 2.3". */
const WITHIN = String.raw`(?:[,;]\s?(?:pp?\.?|pages?|lines?|sections?|chapters?|sec\.|§)\s?\d[\d\s.,–-]{0,20})?`;
const POINTER = String.raw`[,;:#]?\s?(?:pp?\.?|pages?|lines?|§)\s?\d[\d\s,–-]{0,20}`;
/** A tag around a marker or, as some models write it, around what a source says. */
const TAG = String.raw`</?(?:cite|citation|ref|source|doc|document)\b[^<>]{0,100}>`;
/** A source in words: "(source 2)", "[doc 3]", "(Source: guide.pdf, p. 3)", "[guide.pdf]", "[citation needed]". */
const WORDED =
  String.raw`\((?:${NUMBERED}${WITHIN}|see\s(?:section|chapter|page|line)\s\d[\d.]{0,8}\sof\sthe\s${PLACE}|${NAMED}|${FILE}${POINTER}|https?://[^()\s]{1,300}|citation needed)\)|` +
  String.raw`\[(?:${NUMBERED}${WITHIN}|\d{1,3}(?=[,;]\s?(?:p|l|s))${WITHIN}|${NAMED}|${FILE}(?:${POINTER})?|see\s${NUMBERS}|citation needed|sources?|refs?|citations?|\d{1,3}†[^\[\]\n]{1,60})\]|` +
  // "<cite>1</cite>", "<source id=1>", "{{cite|1}}", "(cf. 1)", and "{1}" or "^1" after a word
  String.raw`${TAG}\s?(?:${NUMBERS}|${NUMBERED}|${FILE})\s?${TAG}|${TAG}|\{\{cit[^{}]{0,100}\}\}|\((?:cf\.|see)\s?${NUMBERS}\)|(?<=\p{L}{3}\s)\{${NUMBERS}\}(?=\s?[.,;!?\n]|\s?$)|(?<=\p{L}{3}\s|[.!?]\s?)\^\d{1,2}(?=[\s.,;!?]|$)`;
/** A marker in round brackets, only at the end of a sentence: "France (1).". */
const ROUND = String.raw`(?<=\p{L}{3}\s?)\(\d{1,2}(?:\s?[,;]\s?\d{1,2}){0,9}\)(?=\s?[.!?](?:\s|$))`;
/** "【1】", "【4:0†guide.pdf】", "［1］", and ChatGPT's citations: between private characters, or as its interface stores them. */
const LENTICULAR = String.raw`[【〔［⟦](?:\d|${PLACE}[\s:#]?)[^【】〔〕［］⟦⟧\n]{0,80}[】〕］⟧]|\ue200[^\ue201]{0,200}\ue201|:contentReference\[[^\]\n]{0,80}\](?:\{[^}\n]{0,40}\})?`;
/** A raised marker: "France.¹", "France<sup>1</sup>". Not "km²", "10⁶", "x<sup>2</sup>". */
const RAISED = String.raw`(?<=\p{L}{3}|[.,;:!?)\]"”’»])(?:[⁰¹²³⁴-⁹]{1,3}(?:[,˒⁻][⁰¹²³⁴-⁹]{1,3}){0,9}|<sup>\s?(?:\[${NUMBERS}\]|${NUMBERS})\s?</sup>)|(?<=\p{L}{3}\s)<sup>\s?(?:\[${NUMBERS}\]|${NUMBERS})\s?</sup>`;

const MARKER = new RegExp(`${CODE}|(${BRACKETED})|${WORDED}|${ROUND}|${LENTICULAR}|${RAISED}`, "giu");

/** Text before a bracket that belongs to its sentence: "the list is [1, 2]", "array[1]", "x = [1]". */
const VALUE_BEFORE =
  /(?:\b(?:is|are|was|were|be|returns?|equals?|gives?|prints?|outputs?|yields?|contains?|lists?|arrays?|vector|tuple|range|interval|set|value)\s+|(?:[=+/<>{[]|\w\(|(?:^|\s)\*\s)\s*|:\s*(?=\[\d+\s?,)|\b(?:arr|array|args?|argv|nums|\p{Ll}|\w{0,40}_\w{0,40})|\b(?:range|interval))$/u;
/** Text after such a bracket: "scores[1] = 5", "[1].name"; after a range also "[0-9]+". */
const VALUE_AFTER = /^(?:\.\p{L}|\(|\s?(?:=|\+=|-=|:=|<-))/u;

/** Whether numbers in brackets are a list, a range or an index, according to the words around them. */
export const isValue = (text: string, start: number, end: number): boolean =>
  VALUE_BEFORE.test(text.slice(Math.max(0, start - 60), start)) ||
  VALUE_AFTER.test(text.slice(end, end + 4)) ||
  (text.slice(start, end).includes("-") && /[+*?{]/.test(text.charAt(end)));

/** Stands for a marker until attributions have been read. */
const BLANK = "\ue000";

const blankMarkers = (text: string): string => {
  let last = 0;
  return text.replace(MARKER, (match: string, bracketed: string | undefined, at: number) => {
    if (match.startsWith("`")) return match;
    // Brackets after a marker are markers too: "[1][2]", "[1], [2]".
    const isNext = last > 0 && /^[\s,;&]{0,4}(?:and\s)?$/.test(text.slice(last, at));
    if (bracketed && !isNext && isValue(text, at, at + match.length)) return match;
    last = at + match.length;
    return BLANK.repeat(match.length);
  });
};

const MARKS = String.raw`[\s${BLANK}]{0,40}`;
const DETERMINER = "(?:the|these|those|this|that|my|your|our|each|every|both|all|several|some)";
const QUALIFIER =
  "(?:provided|given|above|following|retrieved|available|supplied|relevant|attached|cited|quoted|numbered|uploaded|listed|shared|aforementioned|original|source|search|context|reference|background|input|document|text|first|second|third|fourth|fifth|last|same|other|two|three|both|all|of|the)";
/** Words for the contexts. */
export const SOURCE =
  "(?:contexts?|passages?|documents?|docs?|sources?|texts?|articles?|excerpts?|snippets?|extracts?|paragraphs?|materials?|references?|records?|files?|pages?|results?|information|data|content|knowledge base)";
const WHICH = String.raw`(?:\s?(?:#|no\.|number)?\s?\d{1,3}\b(?!\s?[.:%]\d)(?:(?:\s?,\s?\d{1,3}){0,9}\s?,?\s?(?:and|&|or|–|-)\s?(?:${SOURCE}\s)?\d{1,3}\b)?)`;
const GIVEN = String.raw`(?:\s(?:(?:that\s)?(?:you|i|we)(?:['’]ve|\shave)?\s(?:been\s)?|(?:that\s)?(?:was|were|is|are)\s)?(?:provided|given|gave|above|below|shared|supplied|retrieved|available|attached)(?:\s(?:to me|here|above|below))?)`;
/** In "the text of the law" and "documents released by the court", these words don't mean the contexts. */
const NOT_SOMEBODYS = String.raw`(?!\s(?:of|by|from|for|on|about|published|released|written|obtained|leaked|called|titled|named|which|who)\b|[-'’]\p{L})`;
const part = (lead: string) =>
  String.raw`${lead}(?:${QUALIFIER}\s){0,4}${SOURCE}\b(?:${MARKS}${WHICH}|\s[A-Z]\b)?(?:\s?${BLANK}{1,40}){0,5}${GIVEN}?`;
const withinAnother = String.raw`(?:\s(?:in|from|of|within)\s${part(`(?:${DETERMINER}\\s)`)})?`;
const andMore = String.raw`(?:\s(?:and|or|&)\s${part(`(?:${DETERMINER}\\s)?`)})?`;
/** Any mention of the contexts, and an unambiguous mention. */
const CONTEXTS = `(?:${part(`(?:${DETERMINER}\\s)?`)}${withinAnother}${andMore}${NOT_SOMEBODYS}|${BLANK}{1,40})`;
const NAMED_CONTEXTS = String.raw`(?:(?:${part(`${DETERMINER}\\s`)}|${SOURCE}\s?(?:${WHICH}|${BLANK}{1,40}))${withinAnother}${NOT_SOMEBODYS}|(?<=^|[.!?\n]\s{0,3})${BLANK}{1,40})`;

const SAYS = String.raw`(?:(?:also|clearly|explicitly|specifically|further|then)\s)?(?:states?|stated|says?|said|mentions?|mentioned|indicates?|indicated|notes?|noted|shows?|showed|suggests?|describes?|explains?|reports?|reported|reveals?|confirms?|specif(?:y|ies)|claims?|asserts?|tells?|adds?|highlights?|points? out|outlines?|emphasi[sz]es?)`;
const SAID =
  "(?:stated|said|mentioned|indicated|noted|shown|seen|described|explained|reported|revealed|confirmed|specified|claimed|told|listed|discussed|outlined|detailed|given|provided|found|written|cited|quoted|referenced|documented|supported)";

/** An introduction before the answer: "The answer is Paris." */
const LEAD = String.raw`(?<=^|[.!?\n]\s{0,3})(?:the\s(?:(?:final|correct|short)\s)?answer\sis(?:\s?:|\sthat\b)?|(?:final\s)?answer\s?:)`;

/** An attribution: "According to the documents,", "as mentioned in document 2", "the passage states that". */
const ATTRIBUTION = new RegExp(
  [
    LEAD,
    String.raw`\b(?:according to|based (?:only |solely |strictly |purely )?(?:up)?on|as per|going by|judging (?:by|from))\s(?:${CONTEXTS})(?:\s?,)?`,
    // "Laut Dokument 1", "Nach den Angaben im Kontext", "Según los documentos 1 y 2", "D’après le texte"
    String.raw`(?<!\p{L})(?:laut|gemäß|nach|seg[uú]n|selon|d['’]après|d['’]apres|de acuerdo (?:con|a)|conforme a|de acordo com|segundo|secondo|volgens)\s(?:\p{L}{1,6}['’\s]){0,2}${SOURCE_ELSEWHERE}(?:\s\p{L}{2,3}(?:\s\p{L}{2,3})?\s${SOURCE_ELSEWHERE})?(?:\s(?:fournis?|proporcionad[oa]s?|bereitgestellten?))?(?:\s\d{1,3}(?:\s?(?:,|y|e|et|und|en)\s?\d{1,3}){0,9})?(?![\p{L}\p{N}])(?!\s(?:von|de|du|des|di|do|da|van)\s)(?:\s?,)?`,
    String.raw`\b(?:from|in|within|per|using|by|given|considering|in light of|(?:referring|looking) (?:to|at)|citing)\s${CONTEXTS}\s?,(?:\s(?:we|i|you|it)\s(?:(?:can\s)?(?:know|see|learn|read)|is clear|says)\sthat\b)?`,
    String.raw`\bas\s(?:(?:is|was|it is)\s)?${SAID}\s(?:(?:in|by|on|within)\s${CONTEXTS}|above|earlier|below)(?:\s?,)?`,
    String.raw`\b(?:(?:it\s)?(?:is|was|are|were)\s)?${SAID}\s(?:in|by|on|within)\s${CONTEXTS}(?:\s?,?\sthat\b)?`,
    String.raw`(?<![\p{L}\p{N}])(?:as\s|here(?:['’]s|\sis)\swhat\s)?${NAMED_CONTEXTS}\s?${SAYS}(?:\s(?:us|me))?(?:\s?,?\sthat\b|\s?[,:])?`,
    String.raw`(?<=^|[.!?\n]\s{0,3})from\s${NAMED_CONTEXTS}\s?:`,
    String.raw`\bper\s${NAMED_CONTEXTS}(?:\s?,)?`,
    String.raw`(?<=^|[.!?\n]\s{0,3})${SOURCE}\s?${WHICH}\s?:`,
    String.raw`\bit\s(?:is|was|can\sbe)\s(?:also\s)?${SAID}\sthat\b`,
    String.raw`\b(?:we|i|you|one|it)\s(?:(?:can|could|may)\s)?(?:be\s)?(?:says?|see|seen|learn|know|conclude|infer|inferred|find|found|gather|tell)\s(?:from|in|by)\s${CONTEXTS}(?:\s?,?\sthat\b)?`,
  ].join("|"),
  "giu",
);

const HEADING = "(?:sources?|references?|citations?|footnotes?|bibliography|works cited)";
/** Lists of sources: "Sources: [1] [2]", the list under "References:" at the end, and "[^1]: Guide, 2019". */
const SOURCE_LINE = new RegExp(
  String.raw`^[ \t>*_#(]{0,8}${HEADING}[ \t*_]{0,4}:?[ \t*_]{0,4}(?:(?:[\s${BLANK},;&•|)*-]|and\b|https?://\S{1,300}|${FILE}|${PLACE}\s?#?\d{1,4}|(?<=:[\s\d,]{0,40})\d{1,3}(?=[\s,]|$))*)$(?:\n[ \t]{0,8}(?:[-*•]|\(?\d{1,3}[.)]|[${BLANK}]|https?:)[^\n]{0,500}|\n[ \t]*(?=\n|$))*|^[ \t]{0,8}${BLANK}{3,8}:[^\n]{0,500}$`,
  "gimu",
);
/** A word for sources within a line, before markers: "Paris. Sources: [1], [2]". */
const SOURCE_WORD = new RegExp(String.raw`\b(?<!\bthe\s)(?:${HEADING}|see)\s?:?\s?(?=${BLANK})`, "giu");

const blank = (match: string): string => " ".repeat(match.length);
const unmark = (text: string): string => text.replaceAll(BLANK, " ");

/** Replaces citation markers with spaces. The length does not change. */
export const maskMarkers = (text: string): string => unmark(blankMarkers(text));

/** Reasoning models write their reasoning before the answer. Some templates omit the opening tag. */
const REASONING = /^[\s\S]*<\/(?:think|thinking|thought|reasoning)>/iu;

/** Replaces reasoning before the answer with spaces. The length does not change. */
export const maskReasoning = (text: string): string => text.replace(REASONING, blank);

/** Replaces reasoning, citation markers, source lists and attributions with spaces. The length does not change. */
export const maskCitations = (text: string): string =>
  unmark(
    blankMarkers(maskReasoning(text))
      .replace(SOURCE_LINE, (match) => match.replace(/[^\n]/g, " "))
      .replace(SOURCE_WORD, blank)
      .replace(ATTRIBUTION, (match) => match.replace(/[^\n]/g, " ")),
  );
