import type { DiffPiece } from "./word-diff";

/** A text with the words marked that the other text doesn't have. del: they are missing there. ins: they are added. */
export const Marked = ({ pieces, kind }: { pieces: readonly DiffPiece[]; kind: "del" | "ins" }) => (
  <>{pieces.map(({ text, isShared }) => (isShared ? text : kind === "del" ? <del>{text}</del> : <ins>{text}</ins>))}</>
);
