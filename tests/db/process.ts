import { join } from "node:path";

export type Command =
  | { do: "migrate" }
  /** Calls every repository function in parallel; all must fail while the lock is held. */
  | { do: "attempt"; tag: string }
  /** Calls every repository function in order. */
  | { do: "write"; tag: string }
  | { do: "hold"; ms: number }
  /** Writes numbered audit rows until it is killed. */
  | { do: "append"; tag: string }
  /** Replaces one document of an index again and again until it is killed. */
  | { do: "replace"; tag: string };

export type Answer =
  | { done: "open" | "migrate" | "write" | "held" | "hold" }
  | { done: "attempt"; outcomes: string[] }
  | { done: "append"; n: number }
  | { done: "replace"; n: number }
  | { done: "failed"; error: string; message: string };

/** A running `child.ts`. It is killed when its test ends, if not before. */
export interface Child extends AsyncDisposable {
  send(command: Command): void;
  /** Resolves with the next answer, which must be the answer to `done`. */
  expect<D extends Answer["done"]>(done: D): Promise<Extract<Answer, { done: D }>>;
  /** kill -9; resolves with the remaining answers. */
  kill(): Promise<Answer[]>;
}

/** Starts the process; resolves when it has opened the database file. */
export const startChild = async (file: string, lockWaitMs: number): Promise<Child> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), file, String(lockWaitMs)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = linesOf(child.stdout);

  const expect: Child["expect"] = async (done) => {
    const { value: answer, done: hasEnded } = await answers.next();
    if (hasEnded || !isAnswer(answer, done)) throw new Error(`Expected "${done}", got ${JSON.stringify(answer)}.`);
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

/** Reads only whole lines, because a kill may cut off the last line. */
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
