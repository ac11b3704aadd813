import type { ReadDocument } from "./document";
import { oneLine } from "./markdown";

export const readPlainText = (text: string): ReadDocument => ({ title: null, text });

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const FRONT_MATTER = /^---[ \t]*\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/;
/** Maximum length of front matter. */
const MAX_FRONT_MATTER = 20_000;

/** Removes comments, scripts and styles outside code, and turns underlined headings into `#` headings. */
export const readMarkdown = (source: string): ReadDocument => {
  const text = source.replace(/\r\n?/g, "\n");
  const [frontMatter = "", fields = ""] = FRONT_MATTER.exec(text.slice(0, MAX_FRONT_MATTER)) ?? [];
  const title = /^title:[ \t]*(.+)$/m.exec(fields)?.[1];
  const body = outsideFences(text.slice(frontMatter.length), (part) => underlinedHeadings(withoutHidden(part)));
  return { title: title ? oneLine(title).replace(/^(["'])(.*)\1$/, "$2") : null, text: frontMatter + body };
};

/** Applies `change` to the text between code blocks. An unclosed code block extends to the end of the text. */
const outsideFences = (text: string, change: (part: string) => string): string => {
  const parts: string[] = [];
  let held: string[] = [];
  let fence = "";
  const release = () => {
    const part = held.join("\n");
    if (held.length > 0) parts.push(fence === "" ? change(part) : part);
    held = [];
  };
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    if (fence === "" && mark !== "") {
      release();
      fence = mark;
      held.push(line);
    } else if (fence !== "" && mark.startsWith(fence) && line.trim() === mark) {
      held.push(line);
      release();
      fence = "";
    } else held.push(line);
  }
  release();
  return parts.join("\n");
};

const HIDDEN_STARTS = /<!--|<(script|style|template)\b/gi;

const withoutHidden = (text: string): string => {
  const parts: string[] = [];
  let from = 0;
  HIDDEN_STARTS.lastIndex = 0;
  for (let found = HIDDEN_STARTS.exec(text); found; found = HIDDEN_STARTS.exec(text)) {
    const { index } = found;
    const name = found[1];
    if (isInCode(text.slice(Math.max(0, index - MAX_CODE_SPAN), index))) continue;
    const end = name ? endOfElement(text, name, index) : text.indexOf("-->", index + 4);
    if (end < 0) break;
    parts.push(text.slice(from, index));
    from = end + (name ? 0 : 3);
    HIDDEN_STARTS.lastIndex = from;
  }
  return parts.join("") + text.slice(from);
};

const endOfElement = (text: string, name: string, from: number): number => {
  const close = new RegExp(`</${name}\\s*>`, "gi");
  close.lastIndex = from;
  const found = close.exec(text);
  return found ? found.index + found[0].length : -1;
};

/** Maximum characters before a tag that are searched for an open code span. */
const MAX_CODE_SPAN = 300;

const isInCode = (before: string): boolean => before.slice(before.lastIndexOf("\n") + 1).split("`").length % 2 === 0;

/** A line that can't be an underlined heading: another block, or a table row. */
const NO_TITLE = /^(?:\s*$|#|[-+*>] |\d+[.)] | {4}|.*\|)/;

/** Turns a line above `=====` or `-----` into a heading. */
const underlinedHeadings = (text: string): string => {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    const title = lines.at(-1) ?? "";
    const isUnderline = /^ {0,3}(?:=+|-{2,})[ \t]*$/.test(line) && (lines.at(-2) ?? "").trim() === "";
    if (isUnderline && !NO_TITLE.test(title)) {
      lines[lines.length - 1] = `${line.trimStart().startsWith("=") ? "#" : "##"} ${title.trim()}`;
    } else lines.push(line);
  }
  return lines.join("\n");
};
