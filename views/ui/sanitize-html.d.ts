/** Types of the sanitize-html 2.18 API that `markdown.ts` uses; the package contains none. */
declare module "sanitize-html" {
  type Attributes = Record<string, string>;
  interface Options {
    allowedTags: readonly string[];
    allowedAttributes: Record<string, readonly (string | { name: string; values: readonly string[] })[]>;
    allowedClasses?: Record<string, readonly (string | RegExp)[]>;
    allowedSchemes: readonly string[];
    allowProtocolRelative: boolean;
    /** escape: a tag that is not allowed is shown as text. */
    disallowedTagsMode: "discard" | "escape";
    transformTags?: Record<
      string,
      (tag: string, attributes: Attributes) => { tagName: string; attribs: Attributes; text?: string }
    >;
  }
  export default function sanitizeHtml(html: string, options: Options): string;
}
