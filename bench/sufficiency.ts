import { join } from "node:path";
import { embedAnyLength } from "../gateway/cli/embed-any-length";
import { type Platform, startPlatform } from "../gateway/cli/platform";
import { logOdds } from "../gateway/evals/scorers/logistic";
import { compareWithPassages, type SufficiencyFeatures } from "../gateway/evals/scorers/sufficiency/check-sufficiency";
import { readSplitWords } from "../gateway/evals/scorers/text/negation";
import { isStopWord } from "../gateway/evals/scorers/text/words";
import { auroc, aurocByCluster } from "../gateway/evals/statistics/auroc";
import { bcaRate, bootstrap } from "../gateway/evals/statistics/bootstrap";
import { clustersOf } from "../gateway/evals/statistics/clusters";
import { createRandom } from "../gateway/evals/statistics/random";
import { EXIT, onlyArgument, runCommand } from "../lib/command";
import { loadConfig } from "../lib/settings";
import { fitLogistic } from "./reference/logistic";

const HELP = `Fits and measures the check for whether passages say enough to answer a question.

  bun bench/sufficiency.ts FOLDER     the folder has retrieval_squad_corpus.jsonl and retrieval_squad_queries.jsonl

Compares answerable questions with those near a topic that no passage answers, over the 5 best passages by BM25. Held
out: the mean of 20 splits into two halves, no article in both. The interval is a bootstrap over articles.`;

const SPLITS = 20;
const L2 = 2;
const TOP = 5;
const FEATURES: readonly (keyof SufficiencyFeatures)[] = ["cosine", "names", "answerType", "negation"];
const SIGNS = { cosine: "positive", names: "positive", answerType: "positive", negation: "negative" } as const;

interface Passage {
  id: string;
  title: string;
  text: string;
}

interface Query {
  query: string;
  kind: string;
  topic_passage: string | null;
}

interface Row {
  features: SufficiencyFeatures;
  isAnswerable: boolean;
  article: string;
}

const readLines = async <T>(file: string): Promise<T[]> =>
  (await Bun.file(file).text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const termsOf = (text: string): string[] =>
  readSplitWords(text)
    .filter((word) => !isStopWord(word))
    .map(({ stem }) => stem);

/** BM25 with k1 1.2 and b 0.75 (Robertson and Zaragoza 2009, formula 3.15). */
const rankByBm25 = (corpus: readonly Passage[]) => {
  const lengths = corpus.map(() => 0);
  const postings = new Map<string, Map<number, number>>();
  for (const [at, { title, text }] of corpus.entries()) {
    for (const term of termsOf(`${title}. ${text}`)) {
      const counts = postings.getOrInsertComputed(term, () => new Map());
      counts.set(at, (counts.get(at) ?? 0) + 1);
      lengths[at] = (lengths[at] ?? 0) + 1;
    }
  }
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return (query: string): Passage[] => {
    const scores = new Map<number, number>();
    for (const term of new Set(termsOf(query))) {
      const found = postings.get(term) ?? new Map<number, number>();
      const idf = Math.log(1 + (corpus.length - found.size + 0.5) / (found.size + 0.5));
      for (const [at, count] of found) {
        const norm = 1.2 * (0.25 + (0.75 * (lengths[at] ?? 0)) / meanLength);
        scores.set(at, (scores.get(at) ?? 0) + (idf * count * 2.2) / (count + norm));
      }
    }
    const best = [...scores].sort(([, a], [, b]) => b - a).slice(0, TOP);
    return best.flatMap(([at]) => corpus[at] ?? []);
  };
};

const readRows = async (folder: string, { services, call }: Platform): Promise<Row[]> => {
  const corpus = await readLines<Passage>(join(folder, "retrieval_squad_corpus.jsonl"));
  const all = await readLines<Query>(join(folder, "retrieval_squad_queries.jsonl"));
  const queries = all.filter(({ kind }) => kind === "answerable" || kind === "unanswerable_near");
  const rank = rankByBm25(corpus);
  const ranked = queries.map(({ query }) => rank(query));
  const texts = [...new Set([...queries.map(({ query }) => query), ...ranked.flat().map(({ text }) => text)])];
  const vectors = new Map<string, Float32Array>();
  for (let from = 0; from < texts.length; from += 64) {
    const some = texts.slice(from, from + 64);
    const embedded = await embedAnyLength(services.embeddings, call(), some);
    for (const [at, text] of some.entries()) vectors.set(text, embedded[at] ?? new Float32Array());
  }
  const cosine = (a: string, b: string): number => {
    const other = vectors.get(b);
    return vectors.get(a)?.reduce((sum, value, at) => sum + value * (other?.[at] ?? 0), 0) ?? 0;
  };
  return queries.map(({ query, kind, topic_passage }, at) => {
    const passages = ranked[at] ?? [];
    const best = Math.max(0, ...passages.map(({ text }) => cosine(query, text)));
    return {
      features: compareWithPassages({ question: query, passages, cosine: best }).features,
      isAnswerable: kind === "answerable",
      article: (topic_passage ?? query).replace(/-\d+$/, ""),
    };
  });
};

const fitTo = (rows: readonly Row[], names: typeof FEATURES) =>
  fitLogistic(
    rows.map(({ features, isAnswerable }) => ({ features, label: isAnswerable ? 1 : 0 })),
    { signs: Object.fromEntries(names.map((name) => [name, SIGNS[name]])) as typeof SIGNS, l2: L2 },
  );

/** Scores of all rows by models that were fitted to the other half, averaged over the splits; and the mean AUROC. */
const heldOut = (rows: readonly Row[], names: typeof FEATURES) => {
  const random = createRandom(1);
  const articles = [...new Set(rows.map(({ article }) => article))];
  const scores = rows.map(() => 0);
  let sum = 0;
  for (let split = 0; split < SPLITS; split++) {
    const shuffled = articles.map((article) => ({ article, key: random.nextUint32() })).sort((a, b) => a.key - b.key);
    const first = new Set(shuffled.slice(0, Math.floor(articles.length / 2)).map(({ article }) => article));
    for (const isFirst of [true, false]) {
      const model = fitTo(
        rows.filter(({ article }) => first.has(article) === isFirst),
        names,
      );
      const places = [...rows.keys()].filter((at) => first.has(rows[at]?.article ?? "") !== isFirst);
      const own = places.map((at) => logOdds(model, (rows[at] as Row).features));
      places.forEach((at, index) => {
        scores[at] = (scores[at] ?? 0) + (own[index] ?? 0) / SPLITS;
      });
      sum +=
        auroc(
          places.map((at) => rows[at]?.isAnswerable ?? false),
          own,
        ) ?? 0;
    }
  }
  return { scores, mean: sum / (2 * SPLITS) };
};

const report = (rows: readonly Row[]): void => {
  const labels = rows.map(({ isAnswerable }) => isAnswerable);
  const clusters = clustersOf(rows.map(({ article }) => article));
  const sets = [
    ["cosine"],
    FEATURES.slice(1),
    ...FEATURES.map((left) => FEATURES.filter((name) => name !== left)),
    FEATURES,
  ];
  for (const names of sets as (typeof FEATURES)[]) {
    const { scores, mean } = heldOut(rows, names);
    const compute = aurocByCluster(labels, scores, clusters);
    const [distribution] = bootstrap(clusters.count, (drawn) => [compute(drawn)]);
    const { value, interval } = bcaRate(distribution, clusters) ?? {};
    const [pooled, low, high] = [value, interval?.low, interval?.high].map((figure) => figure?.toFixed(3));
    console.log(`${names.join(", ").padEnd(40)} held out ${mean.toFixed(3)}   pooled ${pooled} (${low} to ${high})`);
  }
  const { scores } = heldOut(rows, FEATURES);
  const ascending = scores.filter((_, at) => labels[at]).sort((a, b) => a - b);
  for (const share of [0.05, 0.1, 0.2]) {
    const cut = ascending[Math.floor(share * ascending.length)] ?? 0;
    const others = scores.filter((_, at) => !labels[at]);
    const caught = others.filter((score) => score < cut).length / others.length;
    console.log(
      `warns about ${share} of the answerable and ${caught.toFixed(2)} of the unanswerable questions below ${cut.toFixed(2)}`,
    );
  }
  console.log(fitTo(rows, FEATURES));
};

await runCommand(
  HELP,
  {},
  async ({ positionals }) => {
    const folder = onlyArgument(positionals, "Name one folder.", HELP);
    const platform = await startPlatform(loadConfig());
    try {
      report(await readRows(folder, platform));
    } finally {
      await platform.close();
    }
    return EXIT.ok;
  },
  { takesArguments: true },
);
