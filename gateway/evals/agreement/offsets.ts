import type { Span } from "../statistics/spans";

/*
 * Files of labels count characters as Unicode code points. JavaScript counts UTF-16 units, which are more where a
 * text has characters beyond the first 65,536, such as emoji.
 */

/** UTF-16 offset of each code point of a text, and of its end. */
const offsetsOf = (text: string): number[] => {
  const offsets = [0];
  let offset = 0;
  for (const character of text) {
    offset += character.length;
    offsets.push(offset);
  }
  return offsets;
};

/** undefined: a span that is not within the text, or ends before it starts. */
export const toUtf16 = (text: string, { start, end }: Span): Span | undefined => {
  const offsets = offsetsOf(text);
  const [from, to] = [offsets[start], offsets[end]];
  return from === undefined || to === undefined || to < from ? undefined : { start: from, end: to };
};

/** The way back. An offset inside a character is that of the character. */
export const toCodePoints = (text: string, { start, end }: Span): Span => ({
  start: [...text.slice(0, start)].length,
  end: [...text.slice(0, end)].length,
});
