import { join } from "node:path";

const FILE = join(import.meta.dir, "../../../docs/evaluation.md");
const BEGIN = "<!-- agreement: written by `bun run agreement FOLDER --docs` -->";
const END = "<!-- end of agreement -->";

/** Opens docs/evaluation.md, where two markers enclose the tables. Throws if a marker is missing. */
export const openAgreementDocs = async () => {
  const text = await Bun.file(FILE).text();
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before === -1 || after < before)
    throw new Error(`${FILE} has no markers for the tables. Add ${BEGIN} and ${END}.`);
  return {
    write: async (tables: readonly string[]): Promise<void> => {
      await Bun.write(FILE, `${text.slice(0, before)}${BEGIN}\n\n${tables.join("\n\n")}\n\n${text.slice(after)}`);
    },
  };
};
