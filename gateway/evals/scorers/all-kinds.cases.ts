import { AMOUNT_KINDS } from "./amount-kinds.cases";
import { ANSWER_KINDS } from "./answer-kinds.cases";
import { CODE_KINDS } from "./code-kinds.cases";
import { FAITHFULNESS_KINDS } from "./faithfulness-kinds.cases";
import { KINDS } from "./kinds.cases";
import { MARKUP_KINDS } from "./markup-kinds.cases";
import { NAME_KINDS } from "./name-kinds.cases";
import { PHRASE_KINDS } from "./phrase-kinds.cases";
import { SWAP_KINDS } from "./swap-kinds.cases";
import { VALUE_KINDS } from "./value-kinds.cases";

/** All tables of cases that `reference@1` must score correctly. Each entry is one kind of answer, by name. */
export const ALL_KINDS = {
  ...KINDS,
  ...VALUE_KINDS,
  ...ANSWER_KINDS,
  ...MARKUP_KINDS,
  ...FAITHFULNESS_KINDS,
  ...PHRASE_KINDS,
  ...CODE_KINDS,
  ...AMOUNT_KINDS,
  ...NAME_KINDS,
  ...SWAP_KINDS,
};
