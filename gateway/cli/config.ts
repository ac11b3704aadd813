import { EXIT, paint, runCommand } from "../../lib/command";
import { describeSettings, readSettings } from "../../lib/settings";
import { alignColumns } from "../../lib/table";
import { configDocs } from "./config-docs";

const HELP = `Prints every setting, its effective value and where the value comes from. Secrets are masked.

  bun run config            as a table
  bun run config --json     for scripts
  bun run config --docs     updates .env.example and docs/settings.md`;

await runCommand(HELP, { json: { type: "boolean" }, docs: { type: "boolean" } }, async ({ values }) => {
  if (values.docs) {
    for (const { path, updated } of await configDocs()) await Bun.write(path, updated);
    return EXIT.ok;
  }
  const views = describeSettings(readSettings());
  if (values.json) {
    const settings = views.map(({ setting, value, origin }) => ({
      name: setting.env,
      key: setting.key,
      value,
      origin,
      description: setting.description,
    }));
    console.log(JSON.stringify({ settings }, null, 2));
    return EXIT.ok;
  }
  const [header, ...lines] = alignColumns([
    ["SETTING", "VALUE", "ORIGIN"],
    ...views.map(({ setting, value, origin }) => [setting.env, value || "-", origin]),
  ]);
  console.log(paint("bold", header ?? ""));
  lines.forEach((line, index) => {
    console.log(views[index]?.origin === "default" ? paint("dim", line) : line);
  });
  console.log(
    `\nChange values in the environment, in .env or in groundwire.toml. docs/settings.md describes each setting.`,
  );
  return EXIT.ok;
});
