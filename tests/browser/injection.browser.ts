import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { PAGE_ROUTES } from "../contract/api-routes";
import { type Stack, startStack } from "../contract/stack";
import { RagClient } from "../rag-client";
import { until } from "../until";
import { closeWindows, onScreen } from "./harness";
import { FIND_EFFECTS, namesOf, PAYLOADS } from "./payloads";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** A server whose model answers with payloads and has one as its name, behind the node of a whole gateway. */
const model = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/v1/models": () => Response.json({ data: [{ id: "echo", max_model_len: 1_000_000 }, { id: namesOf(60, 1)[0] }] }),
    "/tokenize": () => Response.json({ tokens: [1, 2, 3], count: 3 }),
    "/v1/chat/completions": async (request) => {
      const { stream } = (await request.json()) as { stream?: boolean };
      const content = PAYLOADS.slice(0, 75).join("\n\n");
      const usage = { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 };
      const finish_reason = "stop";
      if (!stream)
        return Response.json({ choices: [{ message: { role: "assistant", content }, finish_reason }], usage });
      // In pieces that cut tags, links and fences in the middle.
      const pieces = content.match(/[\s\S]{1,40}/g) ?? [];
      const chunks = [
        ...pieces.map((text) => ({ choices: [{ delta: { content: text }, finish_reason: null }] })),
        { choices: [{ delta: {}, finish_reason }] },
        { choices: [], usage },
      ];
      const events = [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"].map((data) => `data: ${data}\n\n`);
      return new Response(events.join(""), { headers: { "content-type": "text/event-stream" } });
    },
  },
  fetch: () => new Response(PAYLOADS.slice(0, 6).join(" "), { status: 404 }),
});

let stack: Stack;
let session: string;

const call = async (path: string, body: unknown): Promise<Json> => {
  const response = await stack.call("POST", path, { body });
  const answer: Json = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
};

const read = async (path: string): Promise<Json> => (await stack.call("GET", path)).json();

/** Stores payloads in every field of every kind of object. Returns paths that no page links to. */
const store = async (): Promise<string[]> => {
  const names = namesOf(100, 12);
  const titles = namesOf(200, 12);
  const messages = PAYLOADS.map((content, at) => ({ role: at % 2 ? "assistant" : "user", content }));
  const swapped = PAYLOADS.map((content, at) => ({ role: at % 2 ? "user" : "assistant", content }));
  await call("/v1/conversations/import", {
    version: 1,
    conversations: [messages, swapped, ...titles.map(() => messages.slice(0, 2))].map((each, at) => ({
      ...{ id: `chat_${at}`, title: titles[at] ?? "x", model: names[at] ?? "x", messages: each },
    })),
  });
  for (const name of names) await call("/v1/keys", { name, role: "viewer", allowed_models: [name] });

  const samples = PAYLOADS.slice(0, 250).map((text, at) => ({
    ...{ key: names[at] ?? `${at}`, input: text, references: [text, `${text} again`], contexts: [text], output: text },
    ...{ group: names[at], tags: [namesOf(64, 10)[at % 10]], metadata: { [namesOf(64, 10)[at % 10] ?? "x"]: text } },
  }));
  const made = await call("/v1/datasets", { name: names[0], description: PAYLOADS.slice(0, 8).join(" "), samples });
  const dataset = made.dataset.id;
  for (const name of names.slice(1, 6)) await call("/v1/datasets", { name, samples: [{ input: name }] });
  const changed = samples.map((sample, at) => ({ ...sample, input: PAYLOADS[at + 250] ?? "x" }));
  await call(`/v1/datasets/${dataset}/revisions`, { samples: changed });
  const few = await call("/v1/datasets", { name: "few", samples: samples.slice(0, 60) });

  const criterion = { name: "politeness", description: PAYLOADS.slice(8, 20).join(" "), threshold: 1, weight: 1 };
  const scale = { min: 0, max: 1, step: 1 };
  const judge = { model: "echo", prompt: null, votes: 1, temperature: 0, seed: 0 };
  const criteria = [{ ...criterion, scale, direction: "higher_is_better" }];
  await call("/v1/evaluators", { name: "hostile", description: PAYLOADS[20], criteria, judge });
  const templates = [{ role: "user", content: `{{input}} ${PAYLOADS[2]}` }];
  await call("/v1/prompts", { name: "hostile", messages: templates, note: PAYLOADS[30] });

  const runs: string[] = [];
  for (const name of titles.slice(0, 2)) {
    const target = { kind: "stored" };
    const { id } = await call("/v1/batch-evals", {
      dataset: few.dataset.id,
      target,
      name,
      evaluators: ["reference@1"],
      tags: namesOf(40, 3),
    });
    runs.push(id);
  }
  const chat = { kind: "chat", model: "echo", prompt: "hostile" };
  runs.push(
    (await call("/v1/batch-evals", { dataset: names[1], target: chat, name: titles[3], evaluators: ["hostile@1"] })).id,
  );
  let evaluated = "";
  for (const text of PAYLOADS.slice(0, 6)) {
    const { run, result } = await call("/v1/evaluate", {
      sample: { input: text, references: [text], contexts: [text], output: text },
    });
    await call(`/v1/samples/${result.id}/labels`, { metric: "correctness", value: 1, comment: text });
    evaluated = `/evals/${run.id}/results/${result.id}`;
  }

  // The receiver answers with payloads, which the page of a delivery shows.
  const hook = await call("/v1/webhooks", {
    url: `${model.url}hook?x=${encodeURIComponent(titles[0] ?? "")}`,
    description: titles[1],
  });
  const delivery = await call(`/v1/webhooks/${hook.id}/test`, {});
  const logging = await stack.keyOf("member", { log_bodies: true });
  const asked = { messages: [{ role: "user", content: PAYLOADS.slice(0, 40).join(" ") }] };
  const logged = (await stack.call("POST", "/v1/chat", { key: logging, body: asked })).headers.get("x-request-id");

  const rag = new RagClient(stack.url, stack.adminKey);
  const index = await call("/v1/rag/indexes", { name: "hostile", description: PAYLOADS.slice(0, 8).join(" ") });
  const documents = Array.from({ length: 25 }, (_, at) => ({
    ...{ text: PAYLOADS.slice(at * 20, at * 20 + 20).join("\n\n"), title: titles[at % 12], source: names[at % 12] },
    metadata: { note: names[at % 12] },
  }));
  for (let at = 0; at < documents.length; at += 10) await rag.addTexts(index.id, ...documents.slice(at, at + 10));
  await rag.addFiles(index.id, [
    new File([PAYLOADS.slice(0, 60).join("<p>")], `${names[2]}.html`, { type: "text/html" }),
    new File([PAYLOADS.slice(60, 120).join("\n\n")], `${names[3]}.md`, { type: "text/markdown" }),
    new File(["%PDF-1.7 broken"], `${names[4]}.pdf`, { type: "application/pdf" }),
  ]);
  await rag.settled(index.id);
  for (const id of runs) {
    await until(
      "the run has ended",
      async () => {
        const { state } = await read(`/v1/batch-evals/${id}`);
        return /completed|failed/.test(state);
      },
      60_000,
    );
  }
  const form = new FormData();
  const rows = PAYLOADS.slice(0, 40).map((text) => `"${text.replaceAll('"', '""')}","x"`);
  form.append(
    "file",
    new File([`"${names[5]?.replaceAll('"', '""')}",input,input\n${rows.join("\n")}\n`], `${names[6]}.csv`),
  );
  const headers = { cookie: `groundwire=${session}`, "sec-fetch-site": "same-origin" };
  const upload = await fetch(`${stack.url}/datasets/upload`, {
    method: "POST",
    headers,
    body: form,
    redirect: "manual",
  });
  const chats = await read("/v1/conversations?limit=1").then(({ data }) => data);
  const answers = await read(`/v1/conversations/${chats[0].id}`).then(({ messages }) => messages);
  const reflected = encodeURIComponent(PAYLOADS[0] ?? "");
  return [
    upload.headers.get("location") ?? "/datasets/new",
    ...["/chat", "/datasets", "/evals", "/batch-evals", "/rag", "/keys"].map(
      (path) => `${path}?search=${reflected}&sort=${reflected}&page=${reflected}`,
    ),
    `/sign-in?token=${reflected}&return=${reflected}`,
    `/${reflected}`,
    `/datasets/${reflected}`,
    `/batch-evals/compare?a=${runs[0]}&b=${runs[1]}`,
    `/batch-evals/new?dataset=${reflected}`,
    ...["/evals/label", "/evals/new", "/dashboard/figures", "/system/status", `/rag/${index.id}/progress`, evaluated],
    ...[
      `/chat/${chats[0].id}/answers/${answers.at(-1).id}`,
      `/requests/${logged}`,
      `/batch-evals/tags?dataset=${dataset}`,
    ],
    ...["", "/status"].map((part) => `/webhooks/${hook.id}/deliveries/${delivery.id}${part}`),
    ...[`/webhooks/${hook.id}`, `/webhooks/${hook.id}/deliveries`],
  ];
};

beforeAll(async () => {
  const engine = { engine: "openai", engineUrl: model.url.href, embedder: "synthetic" } as const;
  stack = await startStack({}, { node: engine, webhooks: { networks: ["127.0.0.0/8"], http: true } });
  const { sessions } = stack.gateway.services;
  session = (await sessions.signIn(stack.adminKey)).cookie;
}, 60_000);
afterAll(async () => {
  await closeWindows();
  await stack.close();
  await model.stop(true);
});

/** Pages that only redirect to a form, download a file or end the session. */
const NOT_A_SCREEN = /^\/(assets|docs|csp-reports|sign-out)|\/(export|sbom|events|stream)$/;

/** The pattern of the route that a path belongs to. */
const patternOf = (path: string): string | undefined =>
  PAGE_ROUTES.filter(({ method }) => method === "GET")
    .map(({ path: pattern }) => pattern)
    .sort((a, b) => a.split(":").length - b.split(":").length)
    .find((pattern) => new RegExp(`^${pattern.replace(/:\w+/g, "[^/]+")}/?$`).test(path));

/** A page of each kind is looked at this many times, with different content. */
const VISITS = 2;
const STATUSES = [400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503];

/** Fails on what a payload does, however it does it: a dialog, a request, an effect in the page. */
const watch = (page: Page, fired: string[]): void => {
  page.on("dialog", (dialog) => {
    fired.push(`dialog on ${page.url()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/fired") fired.push(`request on ${page.url()}`);
  });
};

test("the search for effects finds payloads that a page doesn't escape", async () => {
  const options = { hasPolicy: false, expectedStatuses: STATUSES, expectedFault: /./ };
  let found = 0;
  await onScreen(stack.url, options, async (page) => {
    const fired: string[] = [];
    watch(page, fired);
    await page.route("**/raw*", (route) => {
      const at = Number(new URL(route.request().url()).searchParams.get("at"));
      return route.fulfill({
        contentType: "text/html",
        body: `<p>${PAYLOADS[at]}</p><p title="${PAYLOADS[at]}">x</p>`,
      });
    });
    for (let at = 0; at < 12; at++) {
      fired.length = 0;
      await page.goto(`/raw?at=${at}`, { waitUntil: "load" }).catch(() => {});
      if (fired.length > 0 || (await page.evaluate<string[]>(FIND_EFFECTS)).length > 0) found += 1;
    }
  });
  expect(found).toBeGreaterThanOrEqual(11);
});

test("W4, W5: none of 500 payloads in any field runs, loads or sends anything on any screen, even without the policy", async () => {
  const visited = new Map<string, number>();
  const shown = new Set<string>();
  const fired: string[] = [];
  const queue = ["/dashboard", ...(await store())];
  const faults = await onScreen(stack.url, { session, hasPolicy: false, expectedStatuses: STATUSES }, async (page) => {
    watch(page, fired);
    const look = async (): Promise<void> => {
      for (const effect of await page.evaluate<string[]>(FIND_EFFECTS)) fired.push(`${page.url()}: ${effect}`);
    };
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      const { pathname } = new URL(path, stack.url);
      const pattern = patternOf(pathname) ?? "none";
      const times = visited.get(pattern) ?? 0;
      if (NOT_A_SCREEN.test(pathname) || times >= VISITS) continue;
      visited.set(pattern, times + 1);
      await page.goto(path, { waitUntil: "load" });
      await look();
      if (await page.evaluate<boolean>("document.body.textContent.includes('/fired')")) shown.add(pattern);
      const links = await page.evaluate<string[]>("[...document.links].map((link) => link.href)");
      for (const link of new Set(links)) if (link.startsWith(`${stack.url}/`)) queue.push(link.slice(stack.url.length));
    }
    // The answer is rendered while it arrives, cut in the middle of tags, links and fences.
    await page.goto("/chat");
    await page.getByLabel("Message").fill(PAYLOADS.slice(0, 10).join("\n"));
    await page.getByLabel("Message").press("Enter");
    await page.getByRole("button", { name: "Copy answer" }).last().waitFor();
    await look();
    // The report is opened as a file, without any header.
    const runs = await read("/v1/batch-evals?limit=3");
    for (const { id } of runs.data) {
      const report = await (await stack.call("GET", `/v1/batch-evals/${id}/export?format=html`)).text();
      await page.route("**/report", (route) => route.fulfill({ contentType: "text/html", body: report }));
      await page.goto("/report");
      await look();
    }
  });
  expect(fired).toEqual([]);
  expect(faults).toEqual([]);
  const screens = PAGE_ROUTES.filter(({ method, path }) => method === "GET" && !NOT_A_SCREEN.test(path));
  const missed = screens.map(({ path }) => path).filter((path) => !visited.has(path));
  expect(missed.length).toBeLessThan(screens.length / 10);
  expect(shown.size).toBeGreaterThan(screens.length / 2);
}, 120_000);
