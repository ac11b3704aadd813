/** UTF-16 units of a text from `start` up to, not including, `end`. */
export interface Span {
  start: number;
  end: number;
}

export interface UnsupportedSpan extends Span {
  note: string;
}
