import { join } from "node:path";
import { expectation, SETTINGS, type Setting } from "../../lib/settings";

const ROOT = join(import.meta.dir, "../..");

const defaultText = ({ default: value }: Setting): string =>
  Array.isArray(value) ? value.join(",") : `${value ?? ""}`;

/** Renders `.env.example`: every setting, commented out, with its default. */
const renderEnvExample = (): string => {
  const blocks = SETTINGS.map((setting) =>
    [
      `# ${setting.description}.`,
      `# Expected: ${expectation(setting)}.`,
      `# ${setting.env}=${defaultText(setting)}`,
    ].join("\n"),
  );
  return `# Settings of Groundwire: copy this file to .env and remove the # in front of the settings you change.
# groundwire.toml accepts the same settings. Written by \`bun run config --docs\`.

${blocks.join("\n\n")}
`;
};

const renderSettingsPage = (): string => {
  const rows = SETTINGS.map((setting) => {
    const value = defaultText(setting);
    return `| \`${setting.env}\` | \`${setting.key}\` | ${value && `\`${value}\``} | ${setting.description} |`;
  });
  return `# Settings

Set environment variables (also in \`.env\`) or use \`groundwire.toml\`; variables take precedence. If a value is invalid or a
name is unknown, Groundwire lists all problems and doesn't start. \`bun run config\` shows each setting with its current
value and where the value comes from.

| variable | \`groundwire.toml\` | default | what it does |
|---|---|---|---|
${rows.join("\n")}

\`bun run config --docs\` generates this page.
`;
};

/** The files that describe the settings, with their current and updated content. */
export const configDocs = async (): Promise<{ path: string; current: string; updated: string }[]> => {
  const updated = { "docs/settings.md": renderSettingsPage(), ".env.example": renderEnvExample() };
  return Promise.all(
    Object.entries(updated).map(async ([name, updated]) => {
      const path = join(ROOT, name);
      return { path, current: await Bun.file(path).text(), updated };
    }),
  );
};
