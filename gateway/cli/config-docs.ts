import { join } from "node:path";
import { expectation, SETTINGS, type Setting } from "../../lib/setting";

const ROOT = join(import.meta.dir, "../..");
const BEGIN = "<!-- settings: written by `bun run config --docs` -->";
const END = "<!-- /settings -->";

const defaultText = ({ default: value }: Setting): string =>
  Array.isArray(value) ? value.join(",") : `${value ?? ""}`;

/** The content of `.env.example`: every setting, commented out, with its default. */
const renderEnvExample = (): string => {
  const blocks = SETTINGS.map((setting) =>
    [
      `# ${setting.description}.`,
      `# Expected: ${expectation(setting)}.`,
      `# ${setting.env}=${defaultText(setting)}`,
    ].join("\n"),
  );
  return `# Settings of Groundwire: copy this file to .env and remove the # in front of what you change.
# groundwire.toml accepts the same settings. Written by \`bun run config --docs\`.

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

/** `readme` with a new table between its markers. Throws if a marker is missing. */
const withSettingsTable = (readme: string): string => {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has to hold the lines ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${renderSettingsTable()}\n${readme.slice(end)}`;
};

/** The files that describe the settings, with their current and their up-to-date content. */
export const configDocs = async (): Promise<{ path: string; current: string; updated: string }[]> => {
  const read = (name: string) => Bun.file(join(ROOT, name)).text();
  const readme = await read("README.md");
  return [
    { path: join(ROOT, "README.md"), current: readme, updated: withSettingsTable(readme) },
    { path: join(ROOT, ".env.example"), current: await read(".env.example"), updated: renderEnvExample() },
  ];
};
