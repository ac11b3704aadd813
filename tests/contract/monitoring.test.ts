import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* The dashboard and the alerts in deploy/ use metrics that gateway and node really have. */

const ROOT = join(import.meta.dir, "../..");
const DEPLOY = join(ROOT, "deploy");
const textOf = (path: string): Promise<string> => Bun.file(join(ROOT, path)).text();

interface Panel {
  id: number;
  title: string;
  type: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string; refId: string }[];
}

interface Rule {
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const dashboard: { panels: Panel[]; templating: { list: { name: string; query: string | { query: string } }[] } } =
  await Bun.file(join(DEPLOY, "grafana/groundwire.json")).json();
const { groups } = Bun.YAML.parse(await textOf("deploy/prometheus/alerts.yml")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const queries = dashboard.templating.list.flatMap(({ query }) => (typeof query === "object" ? [query.query] : []));
const expressions = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...queries.map((query) => query.replace(/^label_values\((.*), \w+\)$/, "$1")),
];

let stack: Stack;
/** The labels of each metric of gateway and node. A metric without series has none. */
const labels = new Map<string, Set<string>>();

beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  const post = (path: string, body: object) => stack.call("POST", path, { body });
  const messages = [{ role: "user", content: "Hi" }];
  for (let n = 0; n < 2; n++) await post("/v1/chat", { messages, seed: 1 });
  await post("/v1/chat", { messages: [{ role: "user", content: "!error upstream_error" }] });
  const key = await stack.keyOf("member", { requests_per_minute: 1 });
  for (let n = 0; n < 2; n++) await stack.call("GET", "/v1/models", { key });
  const { id } = (await (await post("/v1/rag/indexes", { name: "i" })).json()) as { id: string };
  await post(`/v1/rag/indexes/${id}/documents`, { documents: [{ text: "Everyone has 30 days of leave." }] });
  const read = async () => (await (await stack.call("GET", `/v1/rag/indexes/${id}`)).json()) as { status: string };
  await until("the index is ready", async () => (await read()).status === "ready");
  await post("/v1/rag/query", { index: "i", question: "How many days?" });
  const { nodes } = stack.config.gateway;
  for (const response of [await stack.call("GET", "/metrics"), await fetch(`${nodes[0]}/metrics`)]) {
    for (const line of (await response.text()).split("\n")) {
      const [, declared] = /^# TYPE (\S+)/.exec(line) ?? [];
      if (declared) labels.getOrInsertComputed(declared, () => new Set());
      const [, name = "", found = ""] = /^(\w+)\{(.*)\} \S+$/.exec(line) ?? [];
      const metric = labels.get(name) ?? labels.get(name.replace(/_(bucket|sum|count)$/, ""));
      for (const [, label = ""] of found.matchAll(/(\w+)="/g)) metric?.add(label);
    }
  }
});
afterAll(() => stack.close());

/** Labels that Prometheus adds, and the bound of a bucket. */
const ADDED = ["job", "instance", "le"];
const METRIC =
  /\b(groundwire_\w+|gen_ai_(?:client|server|retrieval)_\w+|http_server_\w+|process_\w+)\b(?:\{([^}]*)\})?/g;
const metricsIn = (expr: string): { name: string; selected: string[] }[] =>
  [...expr.replace(/\$\w+/g, "").matchAll(METRIC)].map(([, name = "", selector = ""]) => ({
    name: labels.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ""),
    selected: [...selector.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = ""]) => label),
  }));

describe("dashboard and alerts", () => {
  test("use only metrics that exist", () => {
    const used = expressions.flatMap(metricsIn).map(({ name }) => name);
    expect(used.length).toBeGreaterThan(60);
    expect(used.filter((name) => !labels.has(name))).toEqual([]);
  });

  test("select and group only by labels that these metrics have", () => {
    const wrong = expressions.flatMap((expr) => {
      const used = metricsIn(expr);
      const known = new Set([...ADDED, ...used.flatMap(({ name }) => [...(labels.get(name) ?? [])])]);
      const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/,\s*/));
      const selected = used.flatMap(({ name, selected: chosen }) =>
        chosen.filter((label) => !ADDED.includes(label) && !labels.get(name)?.has(label)),
      );
      return [...selected, ...grouped.filter((label) => !known.has(label))].map((label) => `${label} in ${expr}`);
    });
    expect(wrong).toEqual([]);
  });
});

test("the dashboard's panels have titles, explanations and places of their own", () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const covered = new Set<string>();
  for (const { title, targets = [], gridPos, description } of panels) {
    expect([title.length > 0, targets.length > 0, description]).toEqual([true, true, expect.any(String)]);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect([title, x < 24, covered.has(`${x} ${y}`)]).toEqual([title, true, false]);
        covered.add(`${x} ${y}`);
      }
    }
  }
});

test("each alert says what happened, how bad it is, and where to read on", () => {
  const names = alerts.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  for (const { alert, labels: own, annotations } of alerts) {
    expect([alert, own?.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning|info)$/)]);
    expect(annotations?.summary).toEqual(expect.any(String));
    expect(annotations?.runbook_url).toBe(`docs/runbook.md#${alert?.toLowerCase()}`);
  }
});

const promtool = Bun.which("promtool");
describe.skipIf(!promtool)("promtool", () => {
  const run = async (...args: string[]): Promise<void> => {
    const child = Bun.spawn([promtool ?? "", ...args], { cwd: DEPLOY, stdout: "pipe", stderr: "pipe" });
    const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect([await child.exited, output + errors]).toEqual([0, expect.any(String)]);
  };

  test("accepts the alerts, and their tests pass", async () => {
    await run("check", "rules", "prometheus/alerts.yml");
    await run("test", "rules", "prometheus/alerts.test.yml");
    await run("check", "config", "--syntax-only", "prometheus/prometheus.yml");
  });

  test("can parse every query of the dashboard", async () => {
    const folder = mkdtempSync(join(tmpdir(), "groundwire-rules-"));
    const queried = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const checked = queried.map((expr, n) => ({
      record: `query:${n}`,
      expr: expr.replace(/\$__rate_interval/g, "5m"),
    }));
    await Bun.write(join(folder, "rules.yml"), JSON.stringify({ groups: [{ name: "dashboard", rules: checked }] }));
    await run("check", "rules", join(folder, "rules.yml"));
    rmSync(folder, { recursive: true });
  });
});
