import { Garbage } from "../../../lib/garbage";

const garbage = new Garbage(524_288);

/** Bytes that this thread has read: they, and what was made of them, are garbage soon. */
export const noteRead = (bytes: number): void => garbage.note(bytes);
