/**
 * Highlights code with a few classes: comment, string, number, keyword, call. One regular expression covers all
 * languages below in a single pass, without grammars or a package.
 */

const COMMENT = {
  slash: String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`,
  hash: String.raw`#[^\n]*`,
  dash: String.raw`--[^\n]*`,
};
const STRING = String.raw`"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|${"`"}(?:\\[\s\S]|[^${"`"}\\])*${"`"}?`;
const NUMBER = String.raw`\b\d[\w.]*`;
const WORD = String.raw`[A-Za-z_$][\w$]*`;

const parts = (comment: keyof typeof COMMENT): RegExp =>
  new RegExp(`(?<comment>${COMMENT[comment]})|(?<string>${STRING})|(?<number>${NUMBER})|(?<word>${WORD})`, "g");

interface Language {
  names: string;
  comment: keyof typeof COMMENT;
  keywords: string;
  /** SQL keywords are case-insensitive. */
  ignoreCase?: boolean;
}

const C_LIKE = "break case const continue default do else enum false for if null return static switch true void while";

const LANGUAGES: readonly Language[] = [
  {
    names: "js javascript jsx mjs ts typescript tsx",
    comment: "slash",
    keywords: `${C_LIKE} any as async await boolean catch class declare delete export extends finally from function implements import in instanceof interface keyof let new never number of readonly satisfies string super this throw try type typeof undefined unknown var yield`,
  },
  {
    names: "c h cpp c++ cc hpp cs csharp java kotlin swift",
    comment: "slash",
    keywords: `${C_LIKE} abstract auto bool boolean byte catch char class double extends extern final float fun func implements import include int let long namespace new nullptr override package private protected public short signed sizeof std string struct super template this throw throws try typedef union unsigned using val var virtual`,
  },
  {
    names: "go golang rs rust",
    comment: "slash",
    keywords: `${C_LIKE} any as async await bool chan crate defer dyn error fallthrough fn func go goto impl import in int interface let loop map match mod move mut nil package pub range ref select self Self string struct super trait type unsafe use var where`,
  },
  {
    names: "py python python3",
    comment: "hash",
    keywords:
      "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield",
  },
  {
    names: "sh bash shell zsh",
    comment: "hash",
    keywords: "case do done elif else esac export fi for function if in local return then until while",
  },
  {
    names: "rb ruby",
    comment: "hash",
    keywords: "begin class def do else elsif end false if module nil require return self then true unless while yield",
  },
  { names: "yaml yml toml", comment: "hash", keywords: "false no null true yes" },
  { names: "json jsonc", comment: "slash", keywords: "false null true" },
  {
    names: "sql",
    comment: "dash",
    keywords:
      "all alter and as asc between by case create delete desc distinct drop else end exists false from group having in index inner insert into is join key left like limit not null on or order outer primary references right select set table then true union unique update values view when where with",
    ignoreCase: true,
  },
];

type Highlighter = (code: string) => string;

const highlighter = ({ comment, keywords, ignoreCase = false }: Language): Highlighter => {
  const pattern = parts(comment);
  const known = new Set(keywords.split(" "));
  const classOf = (groups: Record<string, string | undefined>, next: string | undefined): string | undefined => {
    const { word } = groups;
    if (word === undefined) return Object.keys(groups).find((name) => groups[name] !== undefined);
    if (known.has(ignoreCase ? word.toLowerCase() : word)) return "keyword";
    return next === "(" ? "call" : undefined;
  };
  return (code) => {
    let html = "";
    let end = 0;
    for (const match of code.matchAll(pattern)) {
      const [text] = match;
      const name = classOf(match.groups ?? {}, code[match.index + text.length]);
      html += Bun.escapeHTML(code.slice(end, match.index));
      html += name ? `<span class="code-${name}">${Bun.escapeHTML(text)}</span>` : Bun.escapeHTML(text);
      end = match.index + text.length;
    }
    return html + Bun.escapeHTML(code.slice(end));
  };
};

const HIGHLIGHTERS = new Map(
  LANGUAGES.flatMap((language) => {
    const each = highlighter(language);
    return language.names.split(" ").map((name): [string, Highlighter] => [name, each]);
  }),
);

/** Converts code to safe HTML with `code-…` classes. Returns undefined for an unknown language. */
export const highlight = (code: string, language: string): string | undefined =>
  HIGHLIGHTERS.get(language.toLowerCase())?.(code);
