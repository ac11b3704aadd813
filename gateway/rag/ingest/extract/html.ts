import { Parser } from "htmlparser2";
import { BlockBuilder } from "./blocks";
import { type ReadDocument, unreadable } from "./document";
import { HiddenRules } from "./html-hidden";
import { joinBlocks, oneLine } from "./markdown";

/** Maximum nesting of elements. */
const MAX_NESTING = 50_000;
/** Maximum of closing tags times nesting, because the parser searches all open elements for each closing tag. */
const MAX_SEARCHED = 1_000_000_000;
const MAX_SPAN = 100;
/** If `main` or the articles have at least this fraction of a page's text, only that part is used. */
const MIN_SHARE = { main: 0.2, article: 0.6 };

const BLOCKS = new Set(
  "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu ol p pre section summary table tbody td tfoot th thead tr ul".split(
    " ",
  ),
);

const HEADING = /^h[1-6]$/;

interface OpenElement {
  name: string;
  /** Whether its content is skipped. */
  isHidden: boolean;
  /** Whether it opened a part of the builder. */
  isPart: boolean;
  main?: keyof typeof MIN_SHARE;
}

/** The visible text of a page without its navigation. Throws invalid_request for a page that is nested too deeply. */
export const readHtml = (html: string): ReadDocument => {
  const reader = new HtmlReader(Math.min(MAX_NESTING, Math.ceil(MAX_SEARCHED / html.split("</").length)));
  const parser = new Parser(reader, { decodeEntities: true });
  parser.write(html);
  parser.end();
  return reader.finish();
};

class HtmlReader {
  readonly #builder = new BlockBuilder();
  readonly #open: OpenElement[] = [];
  readonly #hidden = new HiddenRules();
  readonly #lists: { count: number; isOrdered: boolean }[] = [];
  #hiddenDepth = 0;
  #preDepth = 0;
  #mainDepth = 0;
  #headingDepth = 0;
  #isAfterTerm = false;
  #language = "";
  #title = "";
  #style = "";
  readonly #parts: Record<keyof typeof MIN_SHARE, string[]> = { main: [], article: [] };

  constructor(private readonly maxNesting: number) {}

  onopentag(name: string, attributes: Record<string, string>): void {
    if (this.#open.length >= this.maxNesting) {
      throw unreadable(`The HTML is nested more than ${this.maxNesting} levels deep. Simplify it or save it as text.`);
    }
    const around = { isInMain: this.#mainDepth > 0, isInHeading: this.#headingDepth > 0 };
    const isHidden = this.#hiddenDepth > 0 || this.#hidden.hides(name, attributes, around);
    const element: OpenElement = { name, isHidden, isPart: false };
    this.#open.push(element);
    if (isHidden) this.#hiddenDepth++;
    else this.#start(element, attributes);
  }

  #start(element: OpenElement, attributes: Record<string, string>): void {
    const builder = this.#builder;
    const { name } = element;
    if (BLOCKS.has(name)) {
      if (this.#preDepth > 0) builder.text("\n");
      else if (!this.#isAfterTerm) builder.endParagraph();
    }
    if (HEADING.test(name)) this.#headingDepth++;
    else if (name === "br") builder.text("\n");
    else if (name === "q") builder.text("“");
    else if (name === "code" || name === "kbd" || name === "samp") this.#startCode(attributes);
    else if (name === "pre") this.#startPre(attributes);
    else if (name === "tr") builder.startRow();
    else if (name === "ol" || name === "ul") {
      const start = Number.parseInt(attributes.start ?? "1", 10);
      this.#lists.push({ count: (Number.isSafeInteger(start) ? start : 1) - 1, isOrdered: name === "ol" });
    } else if (name === "main" || attributes.role === "main" || name === "article") {
      element.main = name === "article" ? "article" : "main";
      this.#mainDepth++;
      this.#openPart(element, () => builder.openPart(), true);
    } else if (name === "li") this.#openPart(element, () => builder.openItem(this.#itemLabel()));
    else if (name === "blockquote") this.#openPart(element, () => builder.openQuote());
    else if (name === "table") this.#openPart(element, () => builder.openTable());
    else if (name === "td" || name === "th") {
      const span = (value = "1") => Math.min(MAX_SPAN, Math.max(1, Number.parseInt(value, 10) || 1));
      this.#openPart(element, () => builder.openCell(span(attributes.colspan), span(attributes.rowspan)));
    }
  }

  #openPart(element: OpenElement, open: () => void, isForced = false): void {
    if (!isForced && !this.#builder.mayOpen) return;
    open();
    element.isPart = true;
  }

  #itemLabel(): string {
    const list = this.#lists.at(-1);
    if (!list?.isOrdered) return "- ";
    list.count++;
    return `${list.count}. `;
  }

  #startCode({ class: names = "" }: Record<string, string>): void {
    if (this.#preDepth === 0) this.#builder.text("`");
    else this.#language ||= languageOf(names);
  }

  #startPre({ class: names = "" }: Record<string, string>): void {
    if (this.#preDepth++ === 0) this.#language = languageOf(names);
  }

  ontext(text: string): void {
    const name = this.#open.at(-1)?.name;
    if (name === "title" && this.#title === "" && !this.#open.some((element) => element.name === "svg")) {
      this.#title = text;
    } else if (name === "style") this.#style += text;
    else if (this.#hiddenDepth === 0) {
      this.#isAfterTerm &&= text.trim() === "";
      this.#builder.text(this.#preDepth > 0 ? text : text.replace(/[\r\n]+/g, " "));
    }
  }

  onclosetag(): void {
    const element = this.#open.pop();
    if (!element) return;
    if (element.name === "style") {
      this.#hidden.addStyle(this.#style);
      this.#style = "";
    }
    if (element.isHidden) this.#hiddenDepth--;
    else this.#end(element);
  }

  #end({ name, isPart, main }: OpenElement): void {
    const builder = this.#builder;
    if (HEADING.test(name)) {
      this.#headingDepth--;
      builder.endHeading(Number(name[1]));
    } else if (name === "q") builder.text("”");
    else if (name === "pre") {
      if (--this.#preDepth === 0) builder.endCode(this.#language);
    } else if (name === "code" || name === "kbd" || name === "samp") {
      if (this.#preDepth === 0) builder.text("`");
    } else if (name === "dt") {
      builder.text(": ");
      this.#isAfterTerm = true;
    } else if (name === "dd") {
      this.#isAfterTerm = false;
      builder.endItem("- ");
    } else if (BLOCKS.has(name) && this.#preDepth === 0) builder.endParagraph();
    if (name === "tr") builder.endRow();
    if (name === "ol" || name === "ul") this.#lists.pop();
    const blocks = isPart ? builder.close() : [];
    if (main && --this.#mainDepth === 0) this.#parts[main].push(joinBlocks(blocks));
  }

  finish(): ReadDocument {
    const all = joinBlocks(this.#builder.takeBlocks());
    const part = (["main", "article"] as const)
      .map((kind) => ({ text: this.#parts[kind].filter((text) => text !== "").join("\n\n"), share: MIN_SHARE[kind] }))
      .find(({ text, share }) => text !== "" && text.length >= all.length * share);
    return { title: oneLine(this.#title) || null, text: part?.text ?? all };
  }
}

const languageOf = (names: string): string => /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(names)?.[1] ?? "";
