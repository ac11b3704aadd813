import { join } from "node:path";

const FILE = join(import.meta.dir, "../../../docs/evaluation.md");
const BEGIN = "<!-- agreement: written by `bun run agreement FOLDER --docs` -->";
const END = "<!-- end of agreement -->";

/** The place for the tables in docs/evaluation.md, between its marks. Throws where a mark is missing. */
export const openAgreementDocs = async () => {
  const text = await Bun.file(FILE).text();
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before === -1 || after < before) throw new Error(`${FILE} has no place for the tables.`);
  return {
    write: async (tables: readonly string[]): Promise<void> => {
      await Bun.write(FILE, `${text.slice(0, before)}${BEGIN}\n\n${tables.join("\n\n")}\n\n${text.slice(after)}`);
    },
  };
};
