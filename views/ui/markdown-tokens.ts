import { Lexer, Marked, type Token, Tokenizer, type TokenizerExtension, type Tokens } from "marked";

/** Quotes, lists and emphasis nested deeper than this are shown as typed. */
const MAX_DEPTH = 20;
/** Maximum number of characters that the lexer examines per text. The rest is shown as typed. */
const MAX_WORK = 8_000_000;
/** Maximum number of table cells, because marked pads short rows: a few characters could become millions of cells. */
const MAX_CELLS = 20_000;

/** Text as typed, without Markdown. Its type is "escape": marked appends the next text to a "text" unescaped. */
const plainText = (raw: string): Tokens.Generic => ({
  type: "escape",
  raw,
  text: Bun.escapeHTML(raw),
  escaped: true,
});

/** A block as typed, with its line breaks. */
const plainBlock = (raw: string): Tokens.Generic => ({ type: "typed", raw, text: raw.trimEnd() });

/** Splits Markdown into tokens with limits on depth and work, because marked has neither. */
class BoundedLexer extends Lexer {
  #depth = 0;
  #work = 0;

  /** Counts the characters that the next step may examine. False once the limit is exceeded. */
  spend(chars: number): boolean {
    this.#work += chars;
    return this.#work <= MAX_WORK;
  }

  override blockTokens<T extends Token[]>(src: string, tokens = [] as Token[] as T, lastParagraphClipped?: boolean): T {
    this.#nested(src, tokens, plainBlock, () => super.blockTokens(src, tokens, lastParagraphClipped));
    return tokens;
  }

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    this.#nested(src, tokens, plainText, () => super.inlineTokens(src, tokens));
    return tokens;
  }

  #nested(src: string, tokens: Token[], asTyped: (src: string) => Token, lex: () => void): void {
    if (this.#depth >= MAX_DEPTH || !this.spend(src.length)) {
      if (src !== "") tokens.push(asTyped(src));
      return;
    }
    this.#depth += 1;
    try {
      lex();
    } finally {
      this.#depth -= 1;
    }
  }
}

const canContinue = (lexer: Lexer, chars: number): boolean => !(lexer instanceof BoundedLexer) || lexer.spend(chars);

/** Length of the text up to the next blank line, the part that the rules for blocks examine. */
const blockLength = (src: string): number => {
  const end = src.indexOf("\n\n");
  return end < 0 ? src.length : end;
};

/** Characters for which marked searches the whole paragraph for the closing one. For others, it searches the word. */
const SEARCHES = /^[[!*_`~<$\\]/;

/** Matches up to `end`, which begins with `first`. A formula has no blank line and at most 1,000 characters. */
const upTo = (first: string, end: string): string =>
  String.raw`(?:[^${first}\n]|${first}(?!${end})|\n(?![ \t]*\n)){1,1000}${first}${end}`;
const DISPLAY = String.raw`\$\$${upTo(String.raw`\$`, String.raw`\$`)}|\\\[${upTo(String.raw`\\`, String.raw`\]`)}`;
// A formula has no space just inside its dollar signs and no digit after them, so "$5 and $10" is not one. Neither is
// "\[no link\](x)", which is an escaped bracket.
const INLINE = String.raw`(?:${DISPLAY})(?!\()|\\\(${upTo(String.raw`\\`, String.raw`\)`)}|\$(?![\s$])(?:\\.|[^$\\\n]){1,500}(?<!\s)\$(?!\d)`;
const FORMULA_LINE = String.raw` {0,3}(?:${DISPLAY})[ \t]*(?:\n|$)`;
const FORMULA_BLOCK = new RegExp(`^${FORMULA_LINE}`);
const NEXT_FORMULA_BLOCK = new RegExp(`\n(?=${FORMULA_LINE})`);
const FORMULA = new RegExp(`^(?:${INLINE})`);
const FORMULAS = new RegExp(INLINE, "g");

const blocks: TokenizerExtension = {
  name: "typed",
  level: "block",
  start(src) {
    const at = src.slice(0, blockLength(src)).search(NEXT_FORMULA_BLOCK);
    return at < 0 ? undefined : at + 1;
  },
  tokenizer(src) {
    if (!canContinue(this.lexer, blockLength(src))) return plainBlock(src);
    const formula = FORMULA_BLOCK.exec(src);
    return formula ? plainBlock(formula[0]) : undefined;
  },
};

const inline: TokenizerExtension = {
  name: "text",
  level: "inline",
  start(src) {
    const at = src.indexOf("$");
    return at < 0 ? undefined : at;
  },
  tokenizer(src) {
    if (!canContinue(this.lexer, SEARCHES.test(src) ? src.length : src.search(/\s|$/))) return plainText(src);
    const formula = /^[\\$]/.test(src) && FORMULA.exec(src);
    return formula ? plainText(formula[0]) : undefined;
  },
};

const CJK = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uffef]`;
const ENDS_IN_CJK = new RegExp(`${CJK}$`, "u");
const PUNCTUATION_BEFORE_CLOSING = new RegExp(String.raw`(?![*_~])[\p{P}\p{S}](?=\*+${CJK})`, "gu");

const marked = new Marked({
  gfm: true,
  extensions: [blocks, inline],
  hooks: {
    /** `src` at the same length, with letters in place of text that must not keep emphasis from opening or closing. */
    emStrongMask(src) {
      const letters = (text: string) => "a".repeat(text.length);
      if (!/[*_]/.test(src)) return src;
      return src.replace(FORMULAS, letters).replace(PUNCTUATION_BEFORE_CLOSING, letters);
    },
  },
  // false: marked's own rule applies; undefined: no token.
  tokenizer: {
    // Text in angle brackets is shown as written, because it is usually code or a placeholder, not HTML.
    html: () => undefined,
    tag: () => undefined,
    autolink: (src) => (/^<(?:https?:\/\/|mailto:|[^\s<>:]+@)/i.test(src) ? false : undefined),
    // One `~` means "about" or a range.
    del: (src) => (src.startsWith("~~") ? false : undefined),
    // CommonMark opens emphasis before punctuation only after a space, and closes it the other way round. Chinese,
    // Japanese and Korean put no spaces there (github.com/tats-u/markdown-cjk-friendly).
    emStrong(src, maskedSrc, prevChar) {
      const before = maskedSrc.slice(0, maskedSrc.length - src.length);
      if (!src.startsWith("*") || !ENDS_IN_CJK.test(before.slice(-2))) return false;
      return Tokenizer.prototype.emStrong.call(this, src, maskedSrc, prevChar === "*" ? prevChar : "");
    },
    table(src) {
      const [header = ""] = src.split("\n", 1);
      if (!header.includes("|")) return false;
      const lines = src.slice(0, blockLength(src)).split("\n").length;
      return header.split("|").length * lines > MAX_CELLS ? undefined : false;
    },
  },
});

/** The tokens of a text, for a parser with a renderer for `typed`. Takes time proportional to its length. */
export const tokensOf = (text: string): Token[] => new BoundedLexer(marked.defaults).lex(text);
