import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import type { EngineReply } from "../ports/engine";
import { Flight } from "./flights";

const head = { node: "node-1", modelRevision: "r1", engine: "test", retries: 0, queueMs: 0 };
const bytes = (text: string) => new TextEncoder().encode(text);
const never = new AbortController().signal;

/** A generation whose frames the test sends one by one. */
const source = () => {
  const queue: (string | Error | undefined)[] = [];
  let next = Promise.withResolvers<void>();
  const send = (item: string | Error | undefined): void => {
    queue.push(item);
    next.resolve();
  };
  async function* body(signal: AbortSignal) {
    for (;;) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        if (item instanceof Error) throw item;
        if (item === "end") return;
        yield bytes(item);
      }
      if (signal.aborted) throw new AppError("client_closed", "gone");
      next = Promise.withResolvers();
      signal.addEventListener("abort", () => next.resolve(), { once: true });
      await next.promise;
    }
  }
  let calls = 0;
  let signal: AbortSignal | undefined;
  return {
    send,
    end: () => send("end"),
    generate: async (given: AbortSignal): Promise<EngineReply> => {
      calls++;
      signal = given;
      return { ...head, body: body(given) };
    },
    calls: () => calls,
    isAborted: () => signal?.aborted ?? false,
  };
};

const readAll = async (reply: EngineReply): Promise<string> => {
  let text = "";
  for await (const frame of reply.body) text += new TextDecoder().decode(frame);
  return text;
};

const reader = (reply: EngineReply) => {
  const iterator = reply.body[Symbol.asyncIterator]();
  return {
    next: async () => new TextDecoder().decode((await iterator.next()).value),
    leave: () => iterator.return?.(),
  };
};

test("all readers of a generation get the same bytes, even if they join in the middle", async () => {
  const { send, end, generate, calls } = source();
  const flight = new Flight(generate, () => {});
  const first = readAll(await flight.join(never));
  send("one ");
  send("two ");
  const watcher = reader(await flight.join(never));
  expect(await watcher.next()).toBe("one ");
  const late = readAll(await flight.join(never));
  send("three");
  end();
  expect(await Promise.all([first, late])).toEqual(["one two three", "one two three"]);
  expect(calls()).toBe(1);
});

test("a reader that never reads does not block the others", async () => {
  const { send, end, generate } = source();
  const flight = new Flight(generate, () => {});
  await flight.join(never);
  const other = readAll(await flight.join(never));
  for (let i = 0; i < 1000; i++) send("x");
  end();
  expect((await other).length).toBe(1000);
});

test("a generation continues when a reader leaves, and is aborted when the last one leaves", async () => {
  const { send, generate, isAborted } = source();
  const leader = new AbortController();
  const flight = new Flight(generate, () => {});
  const led = reader(await flight.join(leader.signal));
  const joined = reader(await flight.join(never));
  send("one");
  expect([await led.next(), await joined.next()]).toEqual(["one", "one"]);
  leader.abort();
  expect(isAborted()).toBe(false);
  await expect(led.next()).rejects.toMatchObject({ kind: "client_closed" });
  send("two");
  expect(await joined.next()).toBe("two");
  await joined.leave();
  expect(isAborted()).toBe(true);
  expect(flight.isJoinable).toBe(false);
});

test("a generation is aborted when every reader leaves before its first read", async () => {
  const { generate, isAborted } = source();
  const flight = new Flight(generate, () => {});
  const [first, second] = [reader(await flight.join(never)), reader(await flight.join(never))];
  await first.leave();
  expect(isAborted()).toBe(false);
  await second.leave();
  expect(isAborted()).toBe(true);
});

test("a reader that waits for a frame stops waiting when its signal is aborted", async () => {
  const { generate, isAborted } = source();
  const leaving = new AbortController();
  const flight = new Flight(generate, () => {});
  const waiting = reader(await flight.join(leaving.signal)).next();
  leaving.abort();
  await expect(waiting).rejects.toMatchObject({ kind: "client_closed" });
  await waiting.catch(() => {});
  expect(isAborted()).toBe(true);
});

test("a reader that waits for the generation to start stops waiting when its signal is aborted", async () => {
  const begun = Promise.withResolvers<EngineReply>();
  let signal: AbortSignal | undefined;
  const flight = new Flight(
    (given) => {
      signal = given;
      return begun.promise;
    },
    () => {},
  );
  const leaving = new AbortController();
  const joining = flight.join(leaving.signal);
  leaving.abort();
  await expect(joining).rejects.toMatchObject({ kind: "client_closed" });
  await joining.catch(() => {});
  expect(signal?.aborted).toBe(true);
});

test("joining with an aborted signal aborts a generation that has no other readers", async () => {
  const { generate, isAborted } = source();
  const flight = new Flight(generate, () => {});
  await expect(flight.join(AbortSignal.abort())).rejects.toMatchObject({ kind: "client_closed" });
  expect(isAborted()).toBe(true);
});

test("an error before the first frame reaches every reader", async () => {
  const failure = new AppError("overloaded", "full");
  let ended: unknown = "not yet";
  const flight = new Flight(
    async () => {
      throw failure;
    },
    (frames) => {
      ended = frames;
    },
  );
  const results = await Promise.allSettled([flight.join(never), flight.join(never)]);
  expect(results.map((result) => result.status === "rejected" && result.reason)).toEqual([failure, failure]);
  expect(ended).toBeUndefined();
});

test("an error in the middle reaches every reader after the frames before it", async () => {
  const { send, generate } = source();
  const flight = new Flight(generate, () => {});
  const replies = [await flight.join(never), await flight.join(never)];
  send("one");
  send(new AppError("upstream_error", "broken"));
  for (const reply of replies) {
    const reading = reader(reply);
    expect(await reading.next()).toBe("one");
    await expect(reading.next()).rejects.toMatchObject({ kind: "upstream_error" });
  }
});

test("a reader that joins after the end gets all frames, and the generation is not aborted when it leaves", async () => {
  const { send, end, generate, isAborted } = source();
  let frames: Uint8Array[] | undefined;
  const flight = new Flight(generate, (all) => {
    frames = all;
  });
  const first = readAll(await flight.join(never));
  send("whole");
  end();
  await first;
  expect(frames?.length).toBe(1);
  expect(await readAll(await flight.join(never))).toBe("whole");
  expect(isAborted()).toBe(false);
});
