import { expect } from "bun:test";

/** An unbalanced closing tag would close the answer's element, and the rest would end up in the page. */
export const expectPaired = (html: string): void => {
  for (const tag of ["div", "pre", "table", "p", "ul", "ol", "li", "blockquote", "span"]) {
    const count = (pattern: string) => html.match(new RegExp(`${pattern}(?=[ >])`, "g"))?.length ?? 0;
    expect([tag, count(`</${tag}`)]).toEqual([tag, count(`<${tag}`)]);
  }
};

/** The visible text. */
export const seen = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .trim();
