import { Parser, Renderer, type Token, type Tokens } from "marked";
import sanitizeHtml from "sanitize-html";
import { highlight } from "./highlight";
import { tokensOf } from "./markdown-tokens";

/** Maximum number of characters that are rendered. The rest of a text is shown as typed. */
export const MAX_RENDERED = 200_000;

/** Text as typed, in one block that keeps its line breaks. */
export const asTyped = (text: string): string => `<p class="as-typed" dir="auto">${Bun.escapeHTML(text)}</p>\n`;

/**
 * Renders marked's tokens as the HTML of an answer on a page. Top-level blocks have `dir="auto"`: they, and everything
 * nested in them, take the direction of their first letter.
 */
class AnswerRenderer extends Renderer {
  #nested = 0;
  #isInCell = false;

  /** `outline`: source depths of the headings that are open at the start, outermost first. */
  constructor(readonly outline: number[] = []) {
    super();
  }

  get #dir(): string {
    return this.#nested === 0 ? ' dir="auto"' : "";
  }

  #within(tokens: Token[]): string {
    this.#nested += 1;
    const html = this.parser.parse(tokens);
    this.#nested -= 1;
    return html;
  }

  override code({ text, lang = "" }: Tokens.Code): string {
    const language = lang.trim().split(/\s/, 1)[0] ?? "";
    const code = text.replace(/\n$/, "");
    const html = highlight(code, language) ?? Bun.escapeHTML(code);
    return `<pre dir="ltr"><code class="language-${Bun.escapeHTML(language)}">${html}</code></pre>\n`;
  }

  /** Puts headings below the page's own h2. No level is skipped, whichever levels the text uses. */
  override heading({ tokens, depth }: Tokens.Heading): string {
    while ((this.outline.at(-1) ?? 0) >= depth) this.outline.pop();
    this.outline.push(depth);
    const tag = `h${Math.min(6, 2 + this.outline.length)}`;
    return `<${tag}${this.#dir}>${this.parser.parseInline(tokens)}</${tag}>\n`;
  }

  override paragraph({ tokens }: Tokens.Paragraph): string {
    return `<p${this.#dir}>${this.parser.parseInline(tokens)}</p>\n`;
  }

  override blockquote({ tokens }: Tokens.Blockquote): string {
    return `<blockquote${this.#dir}>\n${this.#within(tokens)}</blockquote>\n`;
  }

  override list({ ordered, start, items }: Tokens.List): string {
    const tag = ordered ? "ol" : "ul";
    const from = ordered && start !== 1 ? ` start="${start}"` : "";
    return `<${tag}${from}${this.#dir}>\n${items.map((item) => this.listitem(item)).join("")}</${tag}>\n`;
  }

  override listitem({ tokens }: Tokens.ListItem): string {
    return `<li>${this.#within(tokens)}</li>\n`;
  }

  override table(token: Tokens.Table): string {
    return super.table(token).replace("<table>", `<table${this.#dir}>`);
  }

  override tablecell(token: Tokens.TableCell): string {
    this.#isInCell = true;
    const html = super.tablecell(token);
    this.#isInCell = false;
    return html;
  }

  /** `<br>` is a line break in table cells only, because Markdown has no other way to break a line there. */
  override text(token: Tokens.Text | Tokens.Escape): string {
    const html = super.text(token);
    return this.#isInCell ? html.replaceAll(/&lt;br ?\/?&gt;/gi, "<br>") : html;
  }

  /** Shows an image's description instead, because loading it would tell the image's server who reads what. */
  override image({ text }: Tokens.Image): string {
    return `<em>${Bun.escapeHTML(text || "image")}</em>`;
  }
}

const AS_TYPED = {
  extensions: {
    renderers: { typed: ({ text }: Tokens.Generic) => asTyped(text) },
    childTokens: {},
  },
};

/** Host of a link that leaves this site; shown after the link's text. */
const hostOf = (href: string): string | undefined => {
  if (!URL.canParse(href)) return undefined;
  const { protocol, host } = new URL(href);
  return protocol.startsWith("http") ? host : undefined;
};

/** True for http, https, mailto and local paths, read as browsers do: without white space and control characters. */
const isSafeLink = (href: string): boolean =>
  /^(?:https?:|mailto:|(?!\/\/)[^:]*(?:[/?#]|$))/i.test(href.replaceAll(/[\s\p{Cc}]/gu, ""));

/**
 * Second line of defence: the renderer escapes all HTML in the text, and the sanitizer allows only these tags and
 * attributes, and no image, style, form, frame or script.
 */
const RULES: Parameters<typeof sanitizeHtml>[1] = {
  allowedTags: [
    ...["p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li", "input", "a"],
    ...["strong", "em", "del", "span", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  allowedAttributes: {
    "*": ["dir"],
    a: ["href", "rel", "target", "title", "data-host"],
    input: [{ name: "type", values: ["checkbox"] }, "disabled", "checked", "aria-label"],
    ol: ["start"],
    th: [{ name: "align", values: ["left", "center", "right"] }],
    td: [{ name: "align", values: ["left", "center", "right"] }],
  },
  allowedClasses: { code: [/^language-[\w+#.-]{1,30}$/], p: ["as-typed"], span: [/^code-[\w-]{1,30}$/] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  disallowedTagsMode: "escape",
  transformTags: {
    a: (tagName, { href = "", title }) => {
      if (!isSafeLink(href)) return { tagName: "span", attribs: {} };
      const host = hostOf(href);
      return {
        tagName,
        attribs: {
          href,
          ...(title && { title }),
          ...(host && { "data-host": host }),
          target: "_blank",
          rel: "noopener noreferrer nofollow",
        },
      };
    },
    input: (tagName, { checked }) => ({
      tagName,
      attribs: {
        type: "checkbox",
        disabled: "",
        ...(checked !== undefined && { checked: "" }),
        "aria-label": checked === undefined ? "To do" : "Done",
      },
    }),
  },
};

/** Makes code and tables focusable, so that they can be scrolled by keyboard. chat.js adds a copy button to the bar. */
const frameCode = (html: string): string =>
  html
    .replaceAll(/<pre dir="ltr">(<code(?: class="language-([^"]+)")?>)?/g, (_, code = "", language = "") => {
      const name = language || "code";
      return `<div class="code"><div class="code-bar"><span>${name}</span></div><pre dir="ltr" tabindex="0" role="region" aria-label="${name}">${code}`;
    })
    .replaceAll("</pre>", "</pre></div>")
    .replaceAll("<table", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table')
    .replaceAll("</table>", "</table></div>");

/** Renders tokens as safe HTML, and updates `outline` with their headings. */
export const render = (tokens: Token[], outline: number[]): string => {
  const renderer = new AnswerRenderer(outline);
  return frameCode(sanitizeHtml(new Parser({ ...AS_TYPED, renderer }).parse(tokens), RULES));
};

/** Renders a whole text as safe HTML. Text that cannot be rendered is shown as typed. */
export const markdown = (text: string): string => {
  const end = text.length <= MAX_RENDERED ? text.length : text.lastIndexOf("\n", MAX_RENDERED) + 1 || MAX_RENDERED;
  const rest = end < text.length ? asTyped(text.slice(end)) : "";
  try {
    return render(tokensOf(text.slice(0, end)), []) + rest;
  } catch {
    return asTyped(text);
  }
};
