import { join } from "node:path";
import { type Case, KINDS } from "../../gateway/evals/scorers/kinds.cases";

/** The case tables: those of the tests and, if there, `cases/evaluate.jsonl` of the folder. */
export const readCases = async (folder: string): Promise<Case[]> => {
  const file = Bun.file(join(folder, "cases/evaluate.jsonl"));
  const lines = (await file.exists()) ? (await file.text()).trim().split("\n") : [];
  const read = lines.map((line) => JSON.parse(line)).filter(({ should_pass }) => should_pass !== null);
  return [...Object.values(KINDS).flat(), ...read.map((row) => ({ ...row, shouldPass: row.should_pass }))];
};
