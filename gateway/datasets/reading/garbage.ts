import { Garbage } from "../../../lib/garbage";

const garbage = new Garbage(524_288);

/** Bytes that this thread has read. They and the values made from them soon become garbage. */
export const noteRead = (bytes: number): void => garbage.note(bytes);
