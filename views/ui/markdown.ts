import { Marked, type Token } from "marked";
import sanitizeHtml from "sanitize-html";
import { highlight } from "./highlight";

const marked = new Marked({
  gfm: true,
  renderer: {
    // false: as marked itself does it.
    code({ text, lang = "" }) {
      const language = lang.trim().split(/\s/, 1)[0] ?? "";
      const html = highlight(text, language);
      return html === undefined ? false : `<pre><code class="language-${language}">${html}</code></pre>\n`;
    },
  },
});

/** Host of a link that leaves this site, as it is shown behind the link's text. */
const hostOf = (href: string | undefined): string | undefined => {
  if (!href || !URL.canParse(href)) return undefined;
  const { protocol, host } = new URL(href);
  return protocol.startsWith("http") ? host : undefined;
};

const ALLOWED_TAGS = [
  ...["p", "br", "hr", "h3", "h4", "blockquote", "pre", "code", "ul", "ol", "li", "a"],
  ...["strong", "b", "em", "i", "del", "s", "sub", "sup", "kbd", "mark", "span"],
  ...["table", "thead", "tbody", "tr", "th", "td"],
];

/** Headings of an answer stand below the page's own h2, in two levels, so that no level is skipped. */
const heading = (name: "h3" | "h4") => () => ({ tagName: name, attribs: {} });

/**
 * What a model's text may become: text and structure. No image, style, form, frame or script; other tags are shown as
 * text. Links tell their host and pass nothing on to it.
 */
const RULES: Parameters<typeof sanitizeHtml>[1] = {
  allowedTags: ALLOWED_TAGS,
  allowedAttributes: {
    a: ["href", "rel", "title", "data-host"],
    ol: ["start"],
    th: [{ name: "align", values: ["left", "center", "right"] }],
    td: [{ name: "align", values: ["left", "center", "right"] }],
    code: ["class"],
    span: ["class"],
  },
  allowedClasses: { code: [/^language-[\w+#.-]{1,30}$/], span: [/^code-[\w-]{1,30}$/] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  disallowedTagsMode: "escape",
  transformTags: {
    h1: heading("h3"),
    h2: heading("h3"),
    h3: heading("h4"),
    h5: heading("h4"),
    h6: heading("h4"),
    a: (tagName, { href, title }) => {
      const host = hostOf(href);
      return {
        tagName,
        attribs: {
          ...(href && { href }),
          ...(title && { title }),
          ...(host && { "data-host": host }),
          rel: "noopener noreferrer nofollow",
        },
      };
    },
    // An image would tell its server who reads what: its description is shown instead.
    img: (_, { alt }) => ({ tagName: "em", attribs: {}, text: alt || "image" }),
    input: (_, attributes) => ({ tagName: "code", attribs: {}, text: "checked" in attributes ? "x" : " " }),
  },
};

/** Code scrolls inside itself, so the keyboard has to reach it; app.js puts the copy button into the bar. */
const frameCode = (html: string): string =>
  html
    .replaceAll(/<pre>(<code(?: class="language-([^"]+)")?>)?/g, (_, code = "", language = "") => {
      const name = language || "code";
      return `<div class="code"><div class="code-bar"><span>${name}</span></div><pre tabindex="0" role="region" aria-label="${name}">${code}`;
    })
    .replaceAll("</pre>", "</pre></div>")
    .replaceAll("<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>')
    .replaceAll("</table>", "</table></div>");

const render = (tokens: Token[]): string => frameCode(sanitizeHtml(marked.parser(tokens), RULES));

/** A whole text as safe HTML. */
export const markdown = (text: string): string => render(marked.lexer(text));

/**
 * As marked reads it, so that lengths of its tokens are lengths in this text. A carriage return at the end is left out:
 * the line feed of the same line end may still come.
 */
const withPlainLineEnds = (text: string): string => text.replace(/\r$/, "").replaceAll(/\r\n?/g, "\n");

/**
 * A text that grows: blocks that can't change any more are rendered once, only the last one again and again. What is
 * read as still open is rendered as if it ended here, so that half a table or code fence is whole HTML at any time.
 */
export class GrowingMarkdown {
  /** In the text as `withPlainLineEnds` gives it. */
  #openFrom = 0;

  /** `text` is the whole text so far. `finished`: HTML of the blocks that ended since the last call. */
  update(text: string): { finished: string; open: string } {
    const tokens = marked.lexer(withPlainLineEnds(text).slice(this.#openFrom));
    const last = tokens.findLastIndex((token) => token.type !== "space");
    const finished = tokens.slice(0, Math.max(0, last));
    this.#openFrom += finished.reduce((length, token) => length + token.raw.length, 0);
    return { finished: render(finished), open: render(tokens.slice(Math.max(0, last))) };
  }
}
