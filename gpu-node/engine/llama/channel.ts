/** Passes values from a producer that never waits to one consumer, until the first `end` or `fail`. */
export interface Channel<T> extends AsyncIterable<T> {
  push(value: T): void;
  end(): void;
  fail(error: unknown): void;
}

export const createChannel = <T>(): Channel<T> => {
  const values: T[] = [];
  let outcome: { error?: unknown } | undefined;
  let wake = () => {};
  const close = (result: { error?: unknown }): void => {
    outcome ??= result;
    wake();
  };
  return {
    push(value) {
      if (outcome) return;
      values.push(value);
      wake();
    },
    end: () => close({}),
    fail: (error) => close({ error }),
    async *[Symbol.asyncIterator]() {
      while (true) {
        // A failure is thrown immediately, because the values before it are no longer needed.
        if (outcome && "error" in outcome) throw outcome.error;
        const value = values.shift();
        if (value !== undefined) yield value;
        else if (outcome) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
};
