import { join } from "node:path";
import { expectation, SETTINGS, type Setting } from "../../lib/setting";

const ROOT = join(import.meta.dir, "../..");
const README = join(ROOT, "README.md");
const ENV_EXAMPLE = join(ROOT, ".env.example");
const BEGIN = "<!-- settings: written by `bun run config --docs` -->";
const END = "<!-- /settings -->";

const defaultText = ({ default: value }: Setting): string =>
  Array.isArray(value) ? value.join(",") : `${value ?? ""}`;

/** The content of `.env.example`: every setting, commented out, with its default. */
export const renderEnvExample = (): string => {
  const blocks = SETTINGS.map((setting) =>
    [
      `# ${setting.description}.`,
      `# Expected: ${expectation(setting)}.`,
      `# ${setting.env}=${defaultText(setting)}`,
    ].join("\n"),
  );
  return `# Settings of Groundwire: copy this file to .env and remove the # in front of what you change.
# The same settings can stand in groundwire.toml. Written by \`bun run config --docs\`.

${blocks.join("\n\n")}
`;
};

/** The README's table of settings. */
const renderSettingsTable = (): string =>
  [
    "| variable | `groundwire.toml` | default | what it does |",
    "|---|---|---|---|",
    ...SETTINGS.map((setting) => {
      const value = defaultText(setting);
      return `| \`${setting.env}\` | \`${setting.key}\` | ${value && `\`${value}\``} | ${setting.description} |`;
    }),
  ].join("\n");

/** `readme` with the table between its markers written anew. Throws when the markers are missing. */
export const withSettingsTable = (readme: string): string => {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has to hold the lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${renderSettingsTable()}\n${readme.slice(end)}`;
};

export const readReadme = (): Promise<string> => Bun.file(README).text();
export const readEnvExample = (): Promise<string> => Bun.file(ENV_EXAMPLE).text();

export const writeConfigDocs = async (): Promise<void> => {
  await Bun.write(README, withSettingsTable(await readReadme()));
  await Bun.write(ENV_EXAMPLE, renderEnvExample());
};
