import { maskCitations, SOURCE, SOURCE_ELSEWHERE } from "./citations";
import { isNegation } from "./negation";
import { readSentences, verdictLead } from "./sentences";
import { isStopWord, readWords, type Word, wordSet } from "./words";

/*
 * Sentences and answers that make no claim. All criteria share one list of abstentions and one of bare verdicts: English,
 * and the most common phrases of other languages.
 */

/** The kinds of answers that make no claim: an abstention, or a bare yes or no. */
type BareAnswer = "abstains" | "yes" | "no";

export const YES = wordSet(
  "yes true correct yeah yep yea yup right affirmative ja oui sí sì sim tak da да evet 네 예 はい 是 是的 对 對 نعم हाँ כן",
);
export const NO = wordSet(
  "no false incorrect untrue nope nah wrong negative never nein non não nao nee nie net нет hayır 아니요 아니오 いいえ 不 不是 否 لا नहीं לא",
);

/** References to the contexts: "in the context", "based on the documents provided". */
const TAIL = `(?: (?:from|in|by|with|within|given|based on|here|to)(?: \\w+){0,3} ${SOURCE}(?: (?:provided|given|above|available))?| here| (?:that|this)(?: question)?| the (?:answer|question))?`;
const HOW = "(?:explicitly |specifically |directly |currently |clearly )?";
const KNOWN =
  "(?:mentioned|stated|specified|provided|given|available|known|found|disclosed|clear|indicated|listed|included|described|discussed|addressed|reported|recorded|determined|determinable|answered|answerable|applicable|inferable|covered)";
const MATTER = "(?:information|info|context|data|details?|evidence|mention)";

/** Whole answers that abstain, as `evenOut` returns them. */
const ABSTENTION = new RegExp(
  `^(?:${[
    "idk|idek|dk|dunno|n/a|n a|tbd|cannotanswer|no comment|(?:nobody|no one) knows",
    "(?:(?:i|we) )?(?:(?:really|honestly|simply|just) )?(?:dunno|(?:do not|dont) (?:(?:really|actually) )?(?:know|have (?:an?|the|that|this|any|enough) (?:answer|information|info|idea|context|clue)))(?: for (?:sure|certain))?",
    "(?:(?:i am|im|we are) )?(?:not (?:sure|certain)|unsure|uncertain)",
    "(?:it )?(?:is |was |remains )?(?:unclear|unknown|not known|not clear) (?:who|what|when|where|which|why|how)(?: \\w+){1,8}",
    "je (?:ne )?sais pas|(?:das |ich )*wei(?:ß|ss) (?:es |das |ich )*nicht|keine angaben?|no se sabe|não se sabe|non si sa|on ne sait pas|(?:ich habe )?keine ahnung|no (?:lo )?sé|non (?:lo )?so|não sei|ik weet het niet",
    "(?:я )?не знаю|неизвестно|unbekannt|inconnu|desconocido|desconhecido|sconosciuto|onbekend|我?不知道|未知|(?:わか|分か)りません|不明|모르겠습니다|모르겠어요|모릅니다|لا أعرف|غير معروف|bilmiyorum",
    "(?:(?:i|we) have )?no (?:idea|clue|answer|response)(?: (?:found|available|given|provided|possible))?",
    "hard to (?:say|tell)|beats me|out of (?:the )?scope|undisclosed|unavailable|(?:it|they) (?:does not|doesnt|do not|dont) say",
    "(?:the|its|his|her|their)(?: \\w+){1,5} (?:is|was|are|were|remains?) (?:unknown|not known|unclear|unspecified)|unknown|unanswerable(?: question)?|undetermined|undeterminable|indeterminate|unspecified|unclear",
    `not ${HOW}${KNOWN}`,
    `none (?:is |was |are |were )?${HOW}${KNOWN}`,
    `(?:(?:i|we|one|it|this|that)(?: am| are| is)? |im )?(?:cannot|can not|cant|could not|couldnt|unable to|not able to|impossible to|not possible to) (?:be )?(?:answer|answered|determine|determined|say|tell|find|found|known|inferred|established|verified|decided)(?: (?:it|that|this|an answer|the answer|this question|the question))?`,
    `there (?:is no answer|(?:is not|isnt|was not|wasnt) (?:enough|sufficient|any) (?:relevant |specific )?${MATTER}(?: ${KNOWN})?)|(?:there is )?(?:no|not enough|insufficient) (?:relevant |specific |such |further )?${MATTER}(?: (?:is |was )?${KNOWN})?`,
    `${MATTER} (?:is |was )?(?:not ${HOW}${KNOWN}|unavailable)`,
    `nothing (?:is |was )?${KNOWN}`,
    `not (?:enough|sufficient) ${MATTER}|not in (?:the |this )?${SOURCE}`,
  ].join("|")})${TAIL}$`,
);

const LEAD =
  /^(?:(?:the |my )?(?:final |short |correct |right )?(?:answer|verdict|response|result)(?: is)?|(?:it|this|that|(?:this|the) (?:question|statement|claim))(?: is|s)|(?:i am |im )?(?:sorry|afraid)(?: but)?|unfortunately|well|true(?: or |\/| )false|yes(?: or |\/| )no) (?=\S)/;

/** Normalises case, punctuation, apostrophes and Markdown. Keeps "/". */
const evenOut = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/['’‘ʼ`´]/gu, "")
    .replace(/[^\p{L}\p{N}/]+/gu, " ")
    .replace(/(?<=\w) sorry ?$/, "")
    .trim();

/** Words that add nothing to a bare verdict: "Yes, that is right." */
const FILLERS = wordSet("a the it its this that thats is was indeed absolutely definitely certainly of course");

/** A verdict that repeats the question: "No, it isn't.", "It does." */
const ECHO =
  /^(?:(?:yes|yeah|yep|no|nope|nah) )?(?:it|this|that|he|she|they|there) (?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|must)(?<denial> ?not|nt)?$/;
/** An emphatic verdict: "Absolutely not.", "Of course.", "Not at all." */
const EMPHATIC =
  /^(?:(?:indeed|absolutely|definitely|certainly|surely|sure|exactly|of course|(?:the |this )?(?:claim|statement) is supported)(?<denial> not)?|(?<never>not (?:at all|really)|no way|(?:the |this )?(?:claim|statement) is (?:not supported|unsupported)))(?: at all)?$/;

/** Maximum length of an abstention or a bare verdict. */
const MAX_BARE_LENGTH = 160;

/** "NA" must be in capitals: "Na", "Na+" and "na" are different words. */
const NOT_APPLICABLE = /\bNA\b[^\p{L}\p{N}+\-−⁺⁻]*$/u;

/** Classifies a text that only abstains or only says yes or no: "IDK", "N/A.", "Answer: yes", "The answer is no." */
export const bareAnswerOf = (text: string): BareAnswer | undefined => {
  if (text.length > MAX_BARE_LENGTH) return undefined;
  const whole = evenOut(text);
  let plain = whole;
  if (plain === "na" && NOT_APPLICABLE.test(text)) return "abstains";
  for (let cuts = 0; cuts < 3 && LEAD.test(plain) && !ABSTENTION.test(plain); cuts++) plain = plain.replace(LEAD, "");
  if (ABSTENTION.test(plain)) return "abstains";
  const { groups } = ECHO.exec(plain) ?? EMPHATIC.exec(plain) ?? EMPHATIC.exec(whole) ?? {};
  if (groups) return (groups.denial ?? groups.never) ? "no" : "yes";
  const words = plain.split(" ").filter((word) => !FILLERS.has(word));
  const isDenied = words[0] === "not";
  const [word, ...others] = isDenied ? words.slice(1) : words;
  if (word === undefined || !others.every((other) => (YES.has(word) ? YES : NO).has(other))) return undefined;
  if (!YES.has(word) && !NO.has(word)) return undefined;
  return YES.has(word) !== isDenied ? "yes" : "no";
};

/** Words that only respond to what was said before. */
export const INTERJECTIONS = wordSet(
  "yes yeah yep yea yup no nope nah oh well absolutely exactly sure wow haha hmm ok okay sorry",
);

/** Values that programs write for a missing answer. */
const MISSING = /^\s*["'*`]*(?:none|null|nil|nan|undefined)["'*`.]*\s*$/iu;

/** Whether an answer is only "None", "null", "NaN" or the like. */
export const isMissing = (text: string): boolean => MISSING.test(text);

/** Maximum number of characters of a sentence that the patterns read. */
const MAX_SENTENCE_CHARACTERS_READ = 600;

const LACK = `(?:unable to|ca(?:nnot|n['’]t|n not)|could(?:n['’]t| not)|do(?:es)? not|do(?:es)?n['’]t|did(?:n['’]t| not)|(?:is|are) not|(?:is|are)n['’]t|no)`;
const THE_SOURCE = `(?:the|this|these|any)(?: \\w+){0,2} ${SOURCE}`;
/** Phrases that say that the answer, or the contexts, don't answer the question. */
const ABSTENTION_PHRASES: readonly string[] = [
  String.raw`\bunable to (?:answer|find|determine|provide|say)\b`,
  String.raw`\b(?:ca(?:nnot|n['’]t|n not)|could(?:n['’]t| not)) (?:be )?(?:answer|find|found|determin|provid|say|tell|help|locat)`,
  String.raw`\b(?:i|we) (?:do not|don['’]t) (?:know|have (?:enough|any|the|that|this|information))`,
  String.raw`\b${SOURCE}\b.{0,40}\b${LACK}\s.{0,30}\b(?:mention|contain|provid|includ|say|state|specif|answer|tell|address|discuss|cover|enough|sufficient)`,
  String.raw`\bno (?:relevant |specific |such |further )?(?:information|mention|context|answer|data)\b.{0,60}\b(?:provid|given|available|found|in the|about|of|on)`,
  String.raw`\b(?:not|n['’]t) (?:enough|sufficient) (?:information|context|data)`,
  String.raw`(?:\bnot|n['’]t) (?:explicitly |specifically |directly )?(?:mentioned|stated|specified|provided|given|addressed|discussed)\b`,
  String.raw`(?:\bnot|n['’]t) (?:covered|clear) (?:in|by|from) ${THE_SOURCE}\b|\bnothing (?:about|on) [^.]{1,40} in ${THE_SOURCE}\b`,
  String.raw`\b${SOURCE} (?:is|are) (?:silent (?:on|about)|(?:insufficient|not sufficient|not enough) to)\b`,
  String.raw`\b(?:insufficient|not enough) (?:information|context|data|info)\b|\b(?:unclear|not clear) (?:from|in) the\b`,
  String.raw`\b(?:information|data|answer)\b.{0,20}\b(?:is|are)(?:n['’]t| not) (?:available|known)\b`,
  String.raw`\bnone of the (?:\w+ ){0,2}${SOURCE}\b.{0,20}\b(?:mention|contain|provid|includ|say|state|specif|answer|address|discuss|cover)`,
  String.raw`\b(?:do not|don['’]t) have access to\b`,
  String.raw`\bno \w+(?: \w+){0,3} (?:is|are|was|were) (?:mentioned|given|stated|provided|specified) (?:in|by)\b|\bnothing in (?:\w+ ){0,2}${SOURCE}\b|^\W*nothing (?:about|on)\b`,
  String.raw`\b${SOURCE}\b.{0,20}\b(?:(?:says?|contains?|mentions?|states?|gives?|provides?) (?:nothing|no)|lacks? (?:any |the )?(?:information|details?|data|mention))\b`,
  // German, Spanish, French, Japanese
  String.raw`\bkeine(?:rlei)? (?:information|angabe|hinweis)\p{L}*|\bno hay (?:información|datos)|\baucune (?:information|mention)|(?:情報|記載)(?:が|は)(?:ありません|ない|含まれてい)|(?:言及|記載)されていません`,
  String.raw`${SOURCE_ELSEWHERE}\b.{0,60}(?:\b(?:nicht|no|ne) (?:se |lo |la |le )?(?:erwähn|angegeben|genannt|beantwort|mencion|indica|especific|contien|proporcion|dice|mentionn|précis|fourni|dit\b)|\bkeinen? |\b(?:nennt|erwähnt|sagt|enthält)(?: (?:es|das|dies|ihn|sie))? nicht\b)`,
];
const SAYS_NO_ANSWER = new RegExp(ABSTENTION_PHRASES.join("|"), "iu");
const NAMES_SOURCE = new RegExp(String.raw`\b${SOURCE}\b`, "iu");

/** A turn such as "but". The part after it may still make a claim. */
const TURN =
  /\b(?:but|however|although|though|yet|aber|jedoch|pero|mais)\b|;|,\s(?:and|only|which\s(?:is|are|was|were|has|had))\b/iu;

const isSilent = (text: string): boolean =>
  readWords(text).every((word) => isStopWord(word) || INTERJECTIONS.has(word.norm));

/** Whether a sentence abstains and says nothing else. */
export const isAbstention = (sentence: string): boolean => {
  const text = sentence.slice(0, MAX_SENTENCE_CHARACTERS_READ);
  if (bareAnswerOf(text) === "abstains") return true;
  if (!SAYS_NO_ANSWER.test(text)) return false;
  // A stated reason is about the contexts: "I can't answer, since the context only covers 2021".
  return text
    .split(TURN)
    .every(
      (part) =>
        isSilent(part) ||
        isCourtesy(part) ||
        bareAnswerOf(part) === "abstains" ||
        SAYS_NO_ANSWER.test(part) ||
        NAMES_SOURCE.test(part),
    );
};

/** Words of courtesies, besides stop words. A sentence with only these words addresses the reader and makes no claim. */
const TALK = wordSet(`
  ask asking asked answer answers great good excellent interesting wonderful nice happy glad pleased pleasure welcome help helps
  helped helpful assist assistance im id ill ive thats heres youre dont hope hesitate let please feel free further anything else something need want like luck day
  morning afternoon evening question questions thank thanks hello enjoy here think clarify explain details information search found
  know based best knowledge short far summary summarize always happens there again today try discuss interest inquiry query follow
  gute gut frage danke vielen dank gern gerne ich hoffe das hilft dir ihnen geschehen bonne merci beaucoup rien jespere que cela ca aide
  vous te buena pregunta gracias espero esto sirva ayude ayuda nada por
`);
/** Words that address the reader, or are only said to a reader. */
const TO_READER = wordSet(
  "i im id ill ive we me my you your youre question thanks thank welcome hello asking hope luck frage danke merci pregunta gracias hoffe espero",
);

/** Whether all words belong to a courtesy: "Great question!", "Don't hesitate to ask." */
const isTalk = (words: readonly Word[]): boolean =>
  words.some(({ norm }) => TALK.has(norm)) &&
  (!words.some(isNegation) || words.some(({ norm }) => norm === "hesitate")) &&
  words.every(
    (word) => isStopWord(word) || TALK.has(word.norm) || (INTERJECTIONS.has(word.norm) && !YES.has(word.norm)),
  );

/** Courtesies that may name their subject: "Let me know if you need more about Paris." */
const COURTESY = new RegExp(
  [
    String.raw`^(?:sure(?: thing)?|certainly|of course|absolutely|great|hello|hi|hey|no problem)[\s!.,]*(?:there)?[\s!.,]*$`,
    String.raw`^(?:sure|certainly|of course|okay|ok)?[\s!,.]*(?:i|we)(?: can|'d be happy to|'ll| will| would be happy to) (?:help|assist)\b.{0,60}$`,
    String.raw`^please (?:provide|clarify|share|give)\b.{0,120}$`,
    String.raw`^(?:have an?|enjoy)\b.{0,30}$`,
    String.raw`^(?:i|we) hope (?:this|that|it)\b.{0,60}$`,
    String.raw`^(?:please )?(?:let me know|feel free to)\b.{0,100}$`,
    String.raw`^if you (?:have|need|want|would like|['’]d like)\b.{0,60}\b(?:questions?|help|details|information|know|ask)\b.{0,60}$`,
    String.raw`^(?:sure|certainly|of course|okay|ok)?[\s!,.]*here(?:'s|’s| is| are)\b[^:]{0,200}:?$`,
    String.raw`^(?:i['’]?m|i am|we are)?\s?(?:very |so |really |terribly )?sorry(?: for the confusion)?[\s!.,]*$`,
  ].join("|"),
  "iu",
);

/** Whether a sentence is only a courtesy, or an offer of more help. */
const isCourtesy = (sentence: string): boolean => {
  const text = sentence.slice(0, MAX_SENTENCE_CHARACTERS_READ).trim();
  if (COURTESY.test(text)) return true;
  const words = readWords(text);
  const [first] = words;
  const opens = words.length > 1 && first && TALK.has(first.norm) && !isStopWord(first);
  return (
    sentence.length <= MAX_SENTENCE_CHARACTERS_READ &&
    isTalk(words) &&
    (opens || words.some(({ norm }) => TO_READER.has(norm)))
  );
};

/** A clause before the claim: "As far as I know,", "Here is what I found:". */
const LEAD_CLAUSE =
  /^(?:[^,:：]{1,80}[:：](?!\d)|(?:as|to|in|from|for|based|sure|certainly|of)\b[^,:：]{0,80},)[\s*_]*(?=\S)/iu;
/** Maximum number of words in a hedge. Longer ones are opinions. */
const MAX_HEDGE_WORDS = 10;
const HEDGE =
  /^(?:(?:so|well|yes|no),?\s)?(?:(?:i|we)\s(?:really\s|would\s)?(?:think|believe|guess|suppose|assume|say)(?:\sthat)?|(?:most\s|very\s)?(?:probably|perhaps|maybe|possibly|presumably|likely)|it\s(?:seems|appears)\sthat|i(?:['’]m|\sam)\snot\s(?:\w+\s)?sure,?\sbut),?\s+(?!not\b)(?=\S)/iu;

/** Replaces courtesies, lead-ins, a "no" before a statement and hedges with spaces. The length does not change. */
export const maskTalk = (text: string): string => {
  const parts: string[] = [];
  let last = 0;
  const blank = (start: number, end: number) => {
    parts.push(text.slice(last, start), " ".repeat(end - start));
    last = end;
  };
  for (const { text: sentence, start, end } of readSentences(text)) {
    // An announcement such as "Here are the steps:" counts as a heading.
    if (isCourtesy(sentence) && !/[:：]\**$/u.test(sentence)) {
      blank(start, end);
      continue;
    }
    const lead = LEAD_CLAUSE.exec(sentence)?.[0] ?? "";
    const talk = isTalk(readWords(lead)) ? lead.length : 0;
    const from = talk + verdictLead(sentence.slice(talk));
    const rest = sentence.slice(from);
    const hedge = HEDGE.exec(rest)?.[0] ?? "";
    const isShort = hedge && readWords(rest).length <= MAX_HEDGE_WORDS;
    const length = from + (isShort ? hedge.length : 0);
    if (length > 0) blank(start, start + length);
  }
  return parts.join("") + text.slice(last);
};

/** A title inside a statement that is a question: "The play is Who's Afraid of Virginia Woolf?" */
const QUESTION_AS_TITLE =
  /\p{L}\s["“«]?(?:Who|Whose|What|Where|When|Why|How|Which|Do|Does|Did|Is|Are|Can|Will|Shall)(?:['’]\p{L}{1,3})?\s(?:\S{1,30}\s){0,8}\p{Lu}[^\s?]*\?/u;

/** Maximum number of words in a heading. A longer line that ends with a colon is a claim. */
const MAX_HEADING_WORDS = 25;

/** Whether a sentence is a question, heading, courtesy, bare verdict or abstention, or only has light words. */
export const saysNothing = (sentence: string): boolean => {
  if (/[?？]["'”’)\]*]*$/u.test(sentence) && !QUESTION_AS_TITLE.test(sentence)) return true;
  const text = sentence.slice(0, MAX_SENTENCE_CHARACTERS_READ);
  if (/[:：]\**$/u.test(sentence) && readWords(text).length <= MAX_HEADING_WORDS) return true;
  return isSilent(text) || isMissing(text) || bareAnswerOf(text) !== undefined || isCourtesy(text);
};

/** Whether an answer as a whole abstains: each sentence abstains or makes no claim. */
export const abstains = (output: string): boolean => {
  const sentences = readSentences(maskCitations(output)).map(({ text, start, end }) => ({
    declines: isAbstention(text) || isAbstention(output.slice(start, end)),
    isEmpty: saysNothing(text),
  }));
  return sentences.some(({ declines }) => declines) && sentences.every((each) => each.declines || each.isEmpty);
};

/** How English answers that decline to answer begin. */
const REFUSAL_START =
  /^\W*(?:i['’]?m sorry|sorry\b|i apologi[sz]e|i (?:can(?:['’]?t|not)|am (?:not able|unable)|do(?:n['’]?t| not) (?:know|have))|i['’]?m (?:not able|unable)|as an ai\b|unfortunately,? i\b|there is no (?:information|answer)|the (?:context|text|passage)s? (?:do(?:es)?n['’]?t|do(?:es)? not))/i;

/** Whether a text declines to answer. */
export const isRefusal = (text: string): boolean => REFUSAL_START.test(text) || abstains(text);
