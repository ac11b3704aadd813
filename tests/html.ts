import { expect } from "bun:test";

/** A tag too many would close the answer's own element, and let the rest out into the page. */
export const expectPaired = (html: string): void => {
  for (const tag of ["div", "pre", "table", "p", "ul", "ol", "li", "blockquote", "span"]) {
    const count = (pattern: string) => html.match(new RegExp(`${pattern}(?=[ >])`, "g"))?.length ?? 0;
    expect([tag, count(`</${tag}`)]).toEqual([tag, count(`<${tag}`)]);
  }
};

/** The text that a reader sees. */
export const seen = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .trim();
