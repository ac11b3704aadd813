import { join } from "node:path";

export type Command =
  | { do: "migrate" }
  /** Every repository function at once, which a held lock has to make fail. */
  | { do: "attempt"; tag: string }
  /** Every repository function in order. */
  | { do: "write"; tag: string }
  | { do: "hold"; ms: number }
  /** Numbered audit rows without end. */
  | { do: "append"; tag: string };

export type Answer =
  | { done: "open" | "migrate" | "write" | "held" | "hold" }
  | { done: "attempt"; outcomes: string[] }
  | { done: "append"; n: number }
  | { done: "failed"; error: string; message: string };

/** `child.ts` as the tests see it; killed at the latest when its test ends. */
export interface Child extends AsyncDisposable {
  send(command: Command): void;
  /** The next answer; it has to be this one. */
  expect<D extends Answer["done"]>(done: D): Promise<Extract<Answer, { done: D }>>;
  /** kill -9; resolves with the answers that were still on their way. */
  kill(): Promise<Answer[]>;
}

/** Starts the process on a database file; resolves when it is open. */
export const startChild = async (file: string, lockWaitMs: number): Promise<Child> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), file, String(lockWaitMs)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = linesOf(child.stdout);

  const expect: Child["expect"] = async (done) => {
    const { value: answer, done: hasEnded } = await answers.next();
    if (hasEnded || !isAnswer(answer, done)) throw new Error(`Wanted "${done}", got ${JSON.stringify(answer)}.`);
    return answer;
  };
  const kill = async () => {
    child.kill("SIGKILL");
    const rest: Answer[] = [];
    for await (const answer of answers) rest.push(answer);
    await child.exited;
    return rest;
  };
  await expect("open");
  return {
    expect,
    kill,
    send(command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      child.stdin.flush();
    },
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
};

const isAnswer = <D extends Answer["done"]>(answer: Answer, done: D): answer is Extract<Answer, { done: D }> =>
  answer.done === done;

/** Whole lines only: what a kill cut off was not said. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Answer, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    text += decoder.decode(piece, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
  return undefined;
}
