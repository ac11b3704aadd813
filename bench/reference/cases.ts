import { join } from "node:path";
import { FAITHFULNESS_KINDS } from "../../gateway/evals/scorers/faithfulness-kinds.cases";
import { type Case, KINDS } from "../../gateway/evals/scorers/kinds.cases";
import { VALUE_KINDS } from "../../gateway/evals/scorers/value-kinds.cases";

/** The case tables: those of the tests and, if there, `cases/evaluate.jsonl` of the folder. */
export const readCases = async (folder: string): Promise<Case[]> => {
  const file = Bun.file(join(folder, "cases/evaluate.jsonl"));
  const lines = (await file.exists()) ? (await file.text()).trim().split("\n") : [];
  const read = lines.map((line) => JSON.parse(line)).filter(({ should_pass }) => should_pass !== null);
  const tables = [KINDS, VALUE_KINDS, FAITHFULNESS_KINDS].flatMap((kinds) => Object.values(kinds).flat());
  return [...tables, ...read.map((row) => ({ ...row, shouldPass: row.should_pass }))];
};
