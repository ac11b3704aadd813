import type { TObject } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { Call } from "../call";
import type { RagAnswer, RagQuery } from "../rag/contract";
import type { Indexes } from "../rag/indexes/service";
import type { RagService } from "../rag/query/service";
import { leaveOutNeutral } from "../validation/neutral-values";
import { invalidRequest } from "../validation/problems";
import { AskIndex, FoundPassages, IndexAnswer, ListedIndexes, ListIndexes, SearchIndex } from "./contract";
import { toolSchema } from "./tool-schema";

interface McpDeps {
  rag: RagService;
  indexes: Pick<Indexes, "list">;
}

/** Reports that a tool is still working. `progress` increases with each report. */
export type ReportProgress = (progress: number, message: string) => void;

interface Tool {
  name: string;
  title: string;
  description: string;
  input: TObject;
  output: TObject;
  /** `input` has been validated. */
  run(call: Call, input: never, report?: ReportProgress): Promise<object>;
}

/** Minimum time between two reports while an answer is being written. */
const MIN_REPORT_INTERVAL_MS = 1000;

/** Keeps what a model can use: passages without the scores and ranks of each retriever. */
const toPassages = ({ chunks, index, threshold, warning, degraded }: RagAnswer): FoundPassages => ({
  passages: chunks.map((chunk) => ({
    document_title: chunk.document_title,
    source: chunk.source,
    heading: chunk.heading,
    page: chunk.page,
    text: chunk.text,
    metadata: chunk.metadata,
    id: chunk.id,
    document_id: chunk.document_id,
    start: chunk.start,
    end: chunk.end,
    score: chunk.scores.final,
  })),
  ...{ index, threshold, warning, degraded },
});

const toAnswer = (answer: RagAnswer): IndexAnswer => {
  const { sources, model, finish_reason, index, threshold, warning, degraded } = answer;
  return {
    status: answer.status === "answered" ? "answered" : "no_relevant_context",
    answer: answer.answer ?? "",
    citations: answer.citations.map(({ marker, quote, document_title, page, document_id, chunk_id, start, end }) => ({
      ...{ marker, quote, document_title, page, document_id, chunk_id, start, end },
    })),
    ...{ sources, model, finish_reason },
    supported: answer.grounding?.supported ?? null,
    ...{ index, threshold, warning, degraded },
  };
};

const toQuery = ({ top_k, ...query }: SearchIndex | AskIndex): RagQuery => ({
  ...query,
  ...(top_k !== undefined && { retrieval: { top_k } }),
});

const foundMessage = (count: number): string => `Found ${count} ${count === 1 ? "passage" : "passages"}`;

/** Streams the answer to report its progress. */
const followAnswer = async (events: ReturnType<RagService["events"]>, report: ReportProgress): Promise<RagAnswer> => {
  let progress = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  for await (const event of events) {
    if (event.type === "done") return event.answer;
    if (event.type === "retrieval") report(++progress, foundMessage(event.chunks.length));
    if (event.type !== "token" || performance.now() - reportedAt < MIN_REPORT_INTERVAL_MS) continue;
    reportedAt = performance.now();
    report(++progress, "Writing the answer");
  }
  throw new Error("The RAG service's stream ended without a done event.");
};

/** The tools of the MCP server, which call the same services as the REST API. */
export const createMcp = ({ rag, indexes }: McpDeps) => {
  const tools: Tool[] = [
    {
      name: "list_indexes",
      title: "List indexes",
      description:
        "Lists the document indexes that can be searched, newest first, with their descriptions. Call it first to find the right index.",
      input: ListIndexes,
      output: ListedIndexes,
      async run(call, input: ListIndexes): Promise<ListedIndexes> {
        const page = await indexes.list(call.principal, input);
        const data = page.data.map(({ id, name, description, status, documents, chunks }) => ({
          ...{ id, name, description, status, documents, chunks },
        }));
        return { ...page, data };
      },
    },
    {
      name: "search_index",
      title: "Search an index",
      description:
        "Returns the passages of an index's documents that best match a question, word for word. Use it to read the sources yourself. `threshold.passed: false` means that they are probably not relevant.",
      input: SearchIndex,
      output: FoundPassages,
      run: async (call, input: SearchIndex): Promise<FoundPassages> =>
        toPassages(await rag.query(call, { ...toQuery(input), generate: false })),
    },
    {
      name: "ask_index",
      title: "Ask an index",
      description:
        "Answers a question from an index's documents, with a quote for each citation. Slower than search_index, because a model writes the answer. If nothing relevant is found, the status is no_relevant_context.",
      input: AskIndex,
      output: IndexAnswer,
      async run(call, input: AskIndex, report): Promise<IndexAnswer> {
        const query = toQuery(input);
        return toAnswer(await (report ? followAnswer(rag.events(call, query), report) : rag.query(call, query)));
      },
    },
  ];
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const checks = new Map<Tool, TypeCheck<TObject>>();
  let listed: ReturnType<typeof describe>[] | undefined;

  return {
    /** The tools as `tools/list` returns them. */
    list: () => (listed ??= tools.map(describe)),

    names: () => [...byName.keys()],

    /**
     * Runs a tool. Throws invalid_request for invalid arguments, and what the RAG service throws. Returns undefined if the
     * tool doesn't exist.
     */
    run(call: Call, name: string, given: unknown = {}, report?: ReportProgress): Promise<object> | undefined {
      const tool = byName.get(name);
      if (!tool) return undefined;
      leaveOutNeutral(tool.input, given);
      const check = checks.get(tool) ?? TypeCompiler.Compile(tool.input);
      checks.set(tool, check);
      if (!check.Check(given)) throw invalidRequest(check.Errors(given), "field");
      return tool.run(call, given as never, report);
    },
  };
};

export type Mcp = ReturnType<typeof createMcp>;

const describe = ({ name, title, description, input, output }: Tool) => ({
  ...{ name, title, description },
  inputSchema: toolSchema(input),
  outputSchema: toolSchema(output),
  // The tools read documents of this gateway only, and change nothing.
  annotations: { title, readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false },
});
