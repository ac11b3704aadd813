import { changeKey, createSides, type Side, shows, TOPICS, textOf } from "../contract/rag-sides";
import { type Stack, startStack } from "../contract/stack";
import { RagClient } from "../rag-client";
import { seededRandom } from "../random";
import { until } from "../until";

/**
 * Random queries of two keys, each of which may use one of two indexes with nearly the same texts, and reads of batch
 * runs over them, while access is revoked and documents are deleted and added: `bun run faults`, or
 * `bun tests/faults/rag-isolation.ts 10000`.
 */

/** Share of the steps that change something first. */
const CHANGES = 0.05;
/** Share of the steps that read a batch run instead of asking. */
const RUN_READS = 0.1;

export interface IsolationReport {
  queries: number;
  runReads: number;
  /** Queries that were refused, because the index belongs to another key or access was revoked. */
  refused: number;
  changes: number;
  /**
   * Responses that show anything of the other index, of a deleted document, or of an index that the key may not use.
   */
  wrong: string[];
}

interface Lane {
  stack: Stack;
  admin: RagClient;
  own: Side;
  other: Side;
  /** The id of a batch run over each index. */
  runs: ReadonlyMap<Side, string>;
  random: () => number;
  isAllowed: boolean;
  /** Ids of deleted documents. */
  deleted: string[];
  report: IsolationReport;
}

const pick = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

const QUESTIONS = [
  (topic: string) => `What is the code of the ${topic}?`,
  (topic: string) => `When does the ${topic} open?`,
  (topic: string) => `crimson azure ${topic}`,
];
const FILTERS = [undefined, { colour: "azure" }, { or: [{ colour: "crimson" }, { colour: { in: ["azure"] } }] }];

/** Half of the questions repeat, so that stored answers are served too. */
const randomQuery = ({ random, own, other }: Lane) => {
  const target = random() < 0.7 ? own : other;
  const body = {
    index: random() < 0.5 ? target.index : target.name,
    question: pick(random, QUESTIONS)(pick(random, TOPICS)),
    filter: pick(random, FILTERS),
    generate: random() < 0.2,
    temperature: 0,
    retrieval: { mode: pick(random, ["hybrid", "vector", "keyword"]), top_k: pick(random, [1, 5, 100]) },
  };
  return { target, body };
};

/** Revokes or restores access, or replaces a document with a new one that has the same text. */
const change = async (lane: Lane): Promise<void> => {
  const { stack, admin, own, random, deleted, report } = lane;
  report.changes++;
  if (!lane.isAllowed || random() < 0.5) {
    lane.isAllowed = !lane.isAllowed;
    await changeKey(stack, own.keyId, lane.isAllowed ? [pick(random, [own.index, own.name])] : ["another"]);
    return;
  }
  const topic = pick(random, TOPICS);
  const source = `${topic}.md`;
  const document = own.documents.get(source) ?? "";
  await own.client.delete(`/${own.index}/documents/${document}`);
  deleted.push(document);
  const metadata = { topic, colour: own.colour };
  const { documents } = await admin.addTexts(own.index, { text: textOf(topic, own.colour), source, metadata });
  own.documents.set(source, documents[0].id);
};

const check = async (lane: Lane): Promise<void> => {
  const { own, other, isAllowed, deleted, report } = lane;
  const { target, body } = randomQuery(lane);
  const { status, body: answer } = await own.client.send("POST", "/v1/rag/query", body);
  report.queries++;
  const note = (problem: string) => report.wrong.push(`${problem}: ${JSON.stringify({ body, status, answer })}`);
  if (target === other || !isAllowed) {
    report.refused++;
    if (status !== 404) note("was not refused");
    return;
  }
  if (status !== 200) return void note("was refused");
  if (shows({ ...answer, question: "" }, other)) note("shows the other index");
  if (deleted.some((id) => JSON.stringify(answer).includes(id))) note("shows a deleted document");
};

const checkRun = async ({ own, other, runs, random, isAllowed, report }: Lane): Promise<void> => {
  const side = random() < 0.5 ? own : other;
  const path = `/v1/batch-evals/${runs.get(side)}${pick(random, ["", "/samples", "/events"])}`;
  const response = await fetch(own.client.url + path, { headers: { authorization: `Bearer ${own.client.key}` } });
  const text = await response.text();
  report.runReads++;
  const isRight = side === own && isAllowed ? response.status === 200 : response.status === 404;
  if (!isRight || shows(text, other)) report.wrong.push(`reads a run: ${JSON.stringify({ path, isAllowed, text })}`);
};

/** A batch run over a side's index that has ended. */
const runOver = async (stack: Stack, { index, colour }: Side): Promise<string> => {
  const dataset = `run-${crypto.randomUUID()}`;
  const samples = TOPICS.map((topic) => ({ input: `What is the code of the ${topic}?`, references: [colour] }));
  await stack.call("POST", "/v1/datasets", { body: { name: dataset, samples } });
  const body = { dataset, target: { kind: "rag", index }, evaluators: ["exact@1"] };
  const { id } = (await (await stack.call("POST", "/v1/batch-evals", { body })).json()) as { id: string };
  await until("the run is completed", async () => {
    const run = (await (await stack.call("GET", `/v1/batch-evals/${id}`)).json()) as { state: string };
    return run.state === "completed";
  });
  return id;
};

const runLane = async (lane: Lane, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    if (lane.random() < CHANGES) await change(lane);
    await (lane.random() < RUN_READS ? checkRun(lane) : check(lane));
  }
};

/** Until a number of queries or milliseconds is reached. */
export const queryAtRandom = async (
  stack: Stack,
  { queries = Number.POSITIVE_INFINITY, milliseconds = Number.POSITIVE_INFINITY, seed }: Limits,
): Promise<IsolationReport> => {
  const [one, two] = await createSides(stack);
  const admin = new RagClient(stack.url, stack.adminKey);
  const runs = new Map([
    [one, await runOver(stack, one)],
    [two, await runOver(stack, two)],
  ]);
  const report: IsolationReport = { queries: 0, runReads: 0, refused: 0, changes: 0, wrong: [] };
  const endMs = performance.now() + milliseconds;
  const isOver = () => report.queries >= queries || performance.now() > endMs || report.wrong.length > 10;
  const pairs: [Side, Side][] = [
    [one, two],
    [two, one],
  ];
  const lanes = pairs.map(([own, other], lane) =>
    runLane(
      { stack, admin, own, other, runs, random: seededRandom(seed + lane), isAllowed: true, deleted: [], report },
      isOver,
    ),
  );
  await Promise.all(lanes);
  return report;
};

interface Limits {
  queries?: number;
  milliseconds?: number;
  seed: number;
}

if (import.meta.main) {
  const stack = await startStack({ tokens: 4, tokenMs: 0 });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
  const seed = Math.floor(Math.random() * 2 ** 31);
  const report = await queryAtRandom(stack, { queries: Number(process.argv[2] ?? 10_000), seed });
  await stack.close();
  console.log(JSON.stringify({ seed, ...report }, null, 2));
  process.exit(report.wrong.length === 0 ? 0 : 1);
}
