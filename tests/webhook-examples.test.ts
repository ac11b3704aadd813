import { expect, test } from "bun:test";
import { join } from "node:path";
import { EVENT_DATA, EVENT_TYPES } from "../gateway/webhooks/event-contract";
import { longestPauseMs, MAX_ATTEMPTS } from "../gateway/webhooks/retry-schedule";
import { newSecret, signatureOf } from "../gateway/webhooks/signature";
import { withDatabaseFile } from "./db/temporary";

const PAGE = await Bun.file(join(import.meta.dir, "../docs/webhooks.md")).text();
const exampleIn = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(PAGE)?.[1] ?? "";

const secret = newSecret();
const body = JSON.stringify({ id: "evt_1", type: "webhook.test", data: { name: "für “Ü”" } });

/** The headers of a request that was signed this many seconds ago. */
const signed = (secondsAgo = 0) => {
  const timestamp = Math.floor(Date.now() / 1000) - secondsAgo;
  const signature = signatureOf([{ secret: newSecret() }, { secret }], { id: "evt_1", timestamp, body });
  return { "webhook-id": "evt_1", "webhook-timestamp": String(timestamp), "webhook-signature": signature };
};

const CASES: [what: string, headers: Record<string, string>, body: string, isGenuine: boolean][] = [
  ["a genuine request", signed(), body, true],
  ["another body", signed(), body.replace("test", "text"), false],
  ["an old request", signed(600), body, false],
  ["another id", { ...signed(), "webhook-id": "evt_2" }, body, false],
  ["no signature", { ...signed(), "webhook-signature": "v1," }, body, false],
];

test("the TypeScript example of the docs accepts only genuine requests", () =>
  withDatabaseFile(async (file) => {
    await Bun.write(`${file}.ts`, exampleIn("ts"));
    const { isGenuine } = await import(`${file}.ts`);
    const results = CASES.map(([what, headers, text]) => [what, isGenuine(secret, new Headers(headers), text)]);
    expect(results).toEqual(CASES.map(([what, , , expected]) => [what, expected]));
  }));

test.skipIf(!Bun.which("python3"))("the Python example of the docs accepts only genuine requests", async () => {
  const calls = CASES.map(([, headers, text]) => [secret, headers, text]);
  const script = `${exampleIn("python")}
import json, sys
print(json.dumps([is_genuine(secret, headers, body.encode()) for secret, headers, body in json.load(sys.stdin)]))`;
  const python = Bun.spawn(["python3", "-c", script], { stdin: new Blob([JSON.stringify(calls)]), stderr: "pipe" });
  const printed = await new Response(python.stdout).text();
  expect([printed, await new Response(python.stderr).text()]).toEqual([
    `${JSON.stringify(CASES.map(([, , , expected]) => expected)).replaceAll(",", ", ")}\n`,
    "",
  ]);
});

test("the docs list every type of event with its data, and the pauses", () => {
  const rows = [...PAGE.matchAll(/^\| `([a-z]+\.[a-z]+)` \| [^|]+ \| ([^|]+) \|$/gm)];
  expect(rows.map(([, type = ""]) => type)).toEqual([...EVENT_TYPES, "webhook.test"]);
  for (const [, type = "", words = ""] of rows) {
    if (words === "as above") continue;
    const fields = Object.keys(EVENT_DATA[type as keyof typeof EVENT_DATA].properties);
    const named = [...words.replaceAll(/\([^)]*\)/g, "").matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
    expect([type, named]).toEqual([type, fields]);
  }
  const seconds = Array.from({ length: 8 }, (_, n) => longestPauseMs(n + 1) / 1000);
  expect(seconds).toEqual([5, 20, 80, 320, 1280, 5120, 20_480, 43_200]);
  expect(PAGE).toContain(`up to ${MAX_ATTEMPTS} attempts`);
});
