import { expect, test } from "bun:test";
import { join } from "node:path";
import { DEGRADATION_CODES } from "../gateway/health/contract";
import { ERROR_KINDS } from "../lib/errors";

/* docs/runbook.md covers what can go wrong. */

const ROOT = join(import.meta.dir, "..");
const runbook = await Bun.file(join(ROOT, "docs/runbook.md")).text();

/** The text of a section, up to the next heading of the same level. */
const section = (heading: string): string => {
  const level = heading.slice(0, heading.indexOf(" "));
  const from = runbook.indexOf(`\n${heading}\n`);
  return from === -1 ? "" : (runbook.slice(from + heading.length + 2).split(`\n${level} `)[0] ?? "");
};
const codesIn = (text: string): string[] => [...text.matchAll(/^\| `(\w+)` /gm)].map(([, code = ""]) => code);

test("every alert has a section, and every section its alert", async () => {
  const text = await Bun.file(join(ROOT, "deploy/prometheus/alerts.yml")).text();
  const { groups } = Bun.YAML.parse(text) as { groups: { rules: { alert?: string }[] }[] };
  const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
  const sections = [...section("## Alerts").matchAll(/^### (\w+)$/gm)].map(([, name = ""]) => name);
  expect(sections.toSorted()).toEqual(alerts.toSorted());
});

test("every alert's section says what to do, or refers to one that does", () => {
  const names = [...section("## Alerts").matchAll(/^### (\w+)$/gm)].map(([, name = ""]) => name);
  const silent = names.filter((name) => !/^- Do: |\[degradations\]|the same as /m.test(section(`### ${name}`)));
  expect(silent).toEqual([]);
});

test("references to alerts exist", () => {
  const mentioned = new Set([...runbook.matchAll(/\bGroundwire[A-Z]\w+/g)].map(([name]) => name));
  expect([...mentioned].filter((name) => section(`### ${name}`) === "")).toEqual([]);
});

test("every degradation has an entry", () => {
  expect(codesIn(section("## Degradations")).toSorted()).toEqual([...DEGRADATION_CODES].toSorted());
});

test("every kind of error that a node or the gateway causes has an entry with its status", () => {
  const ours = Object.entries(ERROR_KINDS).filter(([, { fault }]) => fault === "node" || fault === "gateway");
  const text = section("## Errors");
  expect(codesIn(text).toSorted()).toEqual(ours.map(([kind]) => kind).toSorted());
  for (const [kind, { status }] of ours) expect(text).toContain(`| \`${kind}\` | ${status} |`);
});
