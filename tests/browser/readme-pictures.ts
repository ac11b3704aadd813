/**
 * Takes the README's screenshots for docs/images with a real stack and its default models:
 * `bun tests/browser/readme-pictures.ts`.
 */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Stack } from "../harness";
import { until } from "../until";
import { BAKERY } from "./evaluate";
import { closeBrowser, Screen } from "./harness";

const QUESTION = "Write a TypeScript function that adds two numbers.";

const SAMPLES = [
  { key: "rye", ...BAKERY, tags: ["prices"] },
  { key: "sunday", input: "Is the bakery open on Sundays?", references: ["No"], tags: ["hours"] },
  { key: "card", input: "Can I pay by card?", references: ["Yes, from 5 euros"], tags: ["prices"] },
];

/** Documents of the index that is asked. */
const HANDBOOK = [
  {
    source: "leave.md",
    text: "# Leave\n\n## Holidays\n\nEveryone has 30 days of paid leave a year. Days that are left on 31 March are lost, unless your manager agrees in writing.\n\n## Illness\n\nTell your manager before your shift begins. From the third day on, a doctor's note is required.",
  },
  {
    source: "shifts.md",
    text: "# Shifts\n\n| Shift | Begins | Ends |\n|---|---|---|\n| Night | 22:00 | 06:00 |\n| Early | 05:30 | 13:30 |\n\nOvertime is paid with a supplement of 25 %.",
  },
  {
    source: "ovens.md",
    text: "# Ovens\n\nTo switch an oven off in an emergency, press the red button at its right side.",
  },
];
const HANDBOOK_QUESTION = "What is the supplement for overtime?";

/** Asks an index and waits for the answer. */
const askHandbook = async (page: Page, call: (path: string, body?: object) => Promise<Response>) => {
  const { id } = (await (await call("/v1/rag/indexes", { name: "Staff handbook" })).json()) as { id: string };
  await call(`/v1/rag/indexes/${id}/documents`, { documents: HANDBOOK });
  await until("the documents are searchable", async () => {
    const index = (await (await call(`/v1/rag/indexes/${id}`)).json()) as { ingestion: { ended_at: string | null } };
    return index.ingestion.ended_at !== null;
  });
  await page.goto(`${new URL(page.url()).origin}/rag/${id}/ask`);
  await page.getByLabel("Question", { exact: true }).fill(HANDBOOK_QUESTION);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await page.getByText(/^Answer ready/).waitFor({ timeout: 120_000 });
};

const COUNTRIES = [
  ...["France Paris", "Japan Tokyo", "Italy Rome", "Spain Madrid", "Germany Berlin", "Egypt Cairo", "Peru Lima"],
  ...["Norway Oslo", "Kenya Nairobi", "Cuba Havana", "Iran Tehran", "Greece Athens", "Austria Vienna", "China Beijing"],
  ...["Poland Warsaw", "Sweden Stockholm", "Portugal Lisbon", "Russia Moscow", "Canada Ottawa", "Australia Canberra"],
].map((pair) => pair.split(" "));
const ANIMALS = [
  "lamb sheep",
  "calf cow",
  "foal horse",
  "puppy dog",
  "kitten cat",
  "cub bear",
  "piglet pig",
  "chick hen",
].map((pair) => pair.split(" "));
/** Questions that a small model answers well, and some that it doesn't. */
const QUESTIONS = [
  ...COUNTRIES.map(([country, capital = ""]) => ({
    ...{ input: `What is the capital of ${country}?`, references: [capital], tags: ["capitals"] },
  })),
  ...ANIMALS.map(([young, grown = ""]) => ({
    ...{ input: `What does a ${young} grow up to be? Answer in one word.`, references: [grown], tags: ["animals"] },
  })),
  ...[3, 14, 27, 58].map((n) => ({ input: `What is ${n} plus ${n}?`, references: [`${2 * n}`], tags: ["sums"] })),
];

/** Runs a dataset and opens the run when it has ended. */
const runQuestions = async (page: Page, call: (path: string, body?: object) => Promise<Response>) => {
  await call("/v1/datasets", {
    name: "general knowledge",
    samples: QUESTIONS.map((one, n) => ({ key: `q${n + 1}`, ...one })),
  });
  const target = { kind: "chat", max_tokens: 32 };
  const started = await call("/v1/batch-evals", { dataset: "general knowledge", target, repeats: 2 });
  const { id } = (await started.json()) as { id: string };
  await page.goto(`${new URL(page.url()).origin}/batch-evals/${id}`);
  await page.getByRole("status").getByText("Completed").waitFor({ timeout: 300_000 });
  await page.getByRole("heading", { name: "By tag" }).waitFor();
};

const picture = (page: Page, name: string): Promise<unknown> =>
  page.screenshot({ path: join(import.meta.dir, `../../docs/images/${name}.png`), animations: "disabled" });

const stack = await Stack.start({ engine: "llama", workers: 1 });
try {
  const { page } = await Screen.open(stack.url, { theme: "light" });
  await page.goto("/chat");
  const created = await stack.fetch("/v1/keys", { body: { name: "Ada’s laptop", role: "admin" } });
  const [key = ""] = /gw_\w+/.exec(await created.text()) ?? [];
  await page.getByLabel("Your key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Message").fill(QUESTION);
  await page.getByLabel("Message").press("Enter");
  await page.locator(".answer footer").waitFor({ timeout: 120_000 });
  await picture(page, "chat");

  await askHandbook(page, (path, body) => stack.fetch(path, { body }));
  await picture(page, "documents");

  const stored = await stack.fetch("/v1/datasets", { body: { name: "bakery", samples: SAMPLES } });
  const { dataset } = (await stored.json()) as { dataset: { id: string } };
  await page.goto(`/datasets/${dataset.id}`);
  await picture(page, "dataset");

  const evaluated = await stack.fetch("/v1/evaluate", {
    body: { dataset: { dataset: "bakery", key: "rye" }, target: { kind: "stored" } },
  });
  const { run } = (await evaluated.json()) as { run: { id: string } };
  await page.goto(`/evals/${run.id}`);
  await picture(page, "evaluation");

  await runQuestions(page, (path, body) => stack.fetch(path, { body }));
  await picture(page, "run");
} finally {
  await closeBrowser();
  await stack.stop();
}
