import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CLIENTS, fillIn } from "../../views/connect/clients";
import { answerByScript, SCRIPT } from "../clients/conversations";
import { MODEL, startCapableStack } from "./capable-stack";

/* Runs the examples of docs/clients.md as the Connect page shows them. `bun run clients` runs the Python examples. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
beforeAll(async () => {
  capable = await startCapableStack({ embedder: "synthetic" });
  capable.server.answer = answerByScript;
});
afterAll(() => capable.close());

/** A section's code blocks in one language. */
const codeOf = (id: string, language: string): string[] => {
  const { text = "" } = CLIENTS.find((client) => client.id === id) ?? {};
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, code = ""]) => code);
};
const idsWith = (language: string): string[] =>
  CLIENTS.map(({ id }) => id).filter((id) => id !== "mcp" && codeOf(id, language).length > 0);

/** Fills in the address and models of the running gateway. */
const here = (text: string): string =>
  fillIn(text, {
    origin: capable.stack.url,
    chat: { id: MODEL, context_window: 32_768, capabilities: { tools: true } },
  });

const outputOf = async (...command: string[]): Promise<string> => {
  const env = { ...process.env, GROUNDWIRE_API_KEY: capable.stack.adminKey };
  const child = Bun.spawn(command, { env, stdout: "pipe", stderr: "inherit" });
  return child.stdout.text();
};

test("the examples in TypeScript are those of four clients", () => {
  const sdks = ["openai-sdk-for-typescript", "anthropic-sdk-for-typescript"];
  expect(idsWith("ts")).toEqual([...sdks, "vercel-ai-sdk", "langchain-for-typescript"]);
});

test.each(idsWith("ts"))("the examples of %s run, one after another", async (id) => {
  // Inside the project, so that imports find the packages.
  const folder = join(import.meta.dir, "../output/clients-docs");
  await mkdir(folder, { recursive: true });
  const script = join(folder, `${id}.ts`);
  await Bun.write(script, here(codeOf(id, "ts").join("\n")));
  const output = await outputOf(process.execPath, script);
  await rm(script);
  // Whole and streamed, and for OpenAI's SDK as a response.
  const hasResponses = id.startsWith("openai");
  expect(output.split(SCRIPT.text)).toHaveLength(hasResponses ? 4 : 3);
  for (const text of [SCRIPT.city.country, SCRIPT.weather, hasResponses ? "validating" : ""])
    expect(output).toContain(text);
});

test("the curl examples chat, stream and embed", async () => {
  const [whole = "", streamed = "", embedded = ""] = codeOf("curl", "sh");
  const run = (command: string) => outputOf("sh", "-c", here(command).replace("curl ", "curl -s "));
  expect(await run(whole)).toContain(SCRIPT.text);
  expect(await run(streamed)).toEndWith("data: [DONE]\n\n");
  expect(await run(embedded)).toContain('"embedding"');
});

test("each file with settings names the address, the model and the key", () => {
  const filesIn = (language: string) => idsWith(language).flatMap((id) => codeOf(id, language));
  const [yaml, toml] = [filesIn("yaml"), filesIn("toml")];
  expect([yaml.length, toml.length]).toEqual([4, 1]);
  for (const file of yaml) expect(Bun.YAML.parse(file)).toBeObject();
  for (const file of toml) expect(Bun.TOML.parse(file)).toBeObject();
  for (const file of [...yaml, ...toml]) {
    const settings = here(file);
    for (const value of [`${capable.stack.url}/v1`, MODEL, "GROUNDWIRE_API_KEY"]) expect(settings).toContain(value);
  }
});
