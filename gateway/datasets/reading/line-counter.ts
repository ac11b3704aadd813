const LF = 10;
const CR = 13;

/** Follows a text piece by piece and says where it stands. CRLF, LF and CR end a line, also where a piece ends between CR and LF. */
export class LineCounter {
  line = 1;
  /** Of the next character, from 1. */
  character = 1;
  #isAfterCr = false;

  pass(text: string): void {
    let lineStart = 1 - this.character;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === LF || code === CR) {
        if (code === CR || !this.#isAfterCr) this.line++;
        lineStart = i + 1;
      }
      this.#isAfterCr = code === CR;
    }
    this.character = text.length - lineStart + 1;
  }
}

/** The text as one piece stands at `line` and `character`: where in the file is the position `at` of it? */
export const placeIn = (text: string, at: number, { line, character } = { line: 1, character: 1 }): LineCounter => {
  const counter = new LineCounter();
  counter.line = line;
  counter.character = character;
  counter.pass(text.slice(0, at));
  return counter;
};
