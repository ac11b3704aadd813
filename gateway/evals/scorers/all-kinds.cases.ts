import { ANSWER_KINDS } from "./answer-kinds.cases";
import { FAITHFULNESS_KINDS } from "./faithfulness-kinds.cases";
import { KINDS } from "./kinds.cases";
import { MARKUP_KINDS } from "./markup-kinds.cases";
import { VALUE_KINDS } from "./value-kinds.cases";

/** All tables of cases that `reference@1` must score correctly. Each entry is one kind of answer, by name. */
export const ALL_KINDS = { ...KINDS, ...VALUE_KINDS, ...ANSWER_KINDS, ...MARKUP_KINDS, ...FAITHFULNESS_KINDS };
