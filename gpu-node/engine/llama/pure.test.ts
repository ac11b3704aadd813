import { describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { createChannel } from "./channel";
import { defaultThreads, parseCpuList, readCpuShare } from "./host";
import { chooseSlot, shareBatch } from "./scheduler";
import { bytesOfBpe } from "./stream";
import { createStopMatcher, createTextAssembler } from "./text";

describe("stop strings", () => {
  const show = (pieces: string[], stops: string[]) => {
    const matcher = createStopMatcher(stops);
    let shown = "";
    for (const piece of pieces) {
      const { text, stopped } = matcher.push(piece);
      shown += text;
      if (stopped) return { shown, stopped };
    }
    return { shown: shown + matcher.flush(), stopped: false };
  };

  test("the output ends right before the first stop string, however the text is split", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(letters, { maxLength: 12 }),
        fc.array(letters, { minLength: 1, maxLength: 4 }),
        (pieces, stops) => {
          const whole = pieces.join("");
          const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
          const { shown, stopped } = show(pieces, stops);
          expect(stopped).toBe(ends.length > 0);
          // In pieces, the stop string that is complete first counts, even if a longer one starts earlier.
          if (!stopped) expect(shown).toBe(whole);
          else expect(stops.some((stop) => whole.startsWith(shown + stop))).toBe(true);
          for (const stop of stops) expect(shown).not.toContain(stop);
        },
      ),
    );
  });

  test("the beginning of a possible stop string is held back until it is clear whether it is one", () => {
    const matcher = createStopMatcher(["END"]);
    expect(matcher.push("the E")).toEqual({ text: "the ", stopped: false });
    expect(matcher.push("N")).toEqual({ text: "", stopped: false });
    expect(matcher.push("E")).toEqual({ text: "EN", stopped: false });
    expect(matcher.push("ND more")).toEqual({ text: "", stopped: true });
  });
});

describe("text from tokens", () => {
  const detokenize = (tokens: readonly number[][]) => new TextDecoder().decode(Uint8Array.from(tokens.flat()));
  const assemble = (tokens: number[][]) => {
    const assembler = createTextAssembler(detokenize);
    return [...tokens.map((token) => assembler.push(token)), assembler.flush()];
  };
  /** Bytes split into tokens, cycling through the given sizes. */
  const cut = (bytes: number[], sizes: number[]): number[][] => {
    const tokens: number[][] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] ?? 1;
      tokens.push(bytes.slice(at, at + size));
      at += size;
    }
    return tokens;
  };
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });

  test("is complete and never splits a character, wherever tokens are split", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "﷽", "👩", "\u200d", "🚀") });
    fc.assert(
      fc.property(text, sizes, (whole, cuts) => {
        const pieces = assemble(cut([...new TextEncoder().encode(whole)], cuts));
        expect(pieces.join("")).toBe(whole);
        expect(pieces.every((piece) => piece.isWellFormed() && !piece.includes("\uFFFD"))).toBe(true);
      }),
    );
  });

  test("has a replacement character for invalid bytes, and continues after it", () => {
    const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 });
    fc.assert(
      fc.property(bytes, sizes, (broken, cuts) => {
        expect(assemble(cut(broken, cuts)).join("")).toBe(detokenize([broken]));
      }),
    );
    expect(assemble([[0xff], [0x61]])).toEqual(["", "\uFFFDa", ""]);
  });
});

test("a byte-level vocabulary gives the bytes of partial characters", () => {
  expect(bytesOfBpe("ĠParis")).toEqual([32, 80, 97, 114, 105, 115]);
  expect(bytesOfBpe("âĢ")).toEqual([0xe2, 0x80]);
  expect(bytesOfBpe("two words")).toBeUndefined();
});

describe("the sequence for a prompt", () => {
  test("is the one that shares the longest prefix", () => {
    expect(
      chooseSlot([
        { cachedTokens: 100, sharedTokens: 20, neighbours: 0, lastUse: 1 },
        { cachedTokens: 120, sharedTokens: 110, neighbours: 0, lastUse: 2 },
        { cachedTokens: 0, sharedTokens: 0, neighbours: 0, lastUse: 0 },
      ]),
    ).toBe(1);
  });

  test("is an empty one when only a few tokens of a long history would be reused", () => {
    expect(
      chooseSlot([
        { cachedTokens: 1000, sharedTokens: 24, neighbours: 0, lastUse: 1 },
        { cachedTokens: 0, sharedTokens: 0, neighbours: 0, lastUse: 0 },
      ]),
    ).toBe(1);
  });

  test("is next to a running stream, unless another shares a long prefix", () => {
    const nextToStream = { cachedTokens: 100, sharedTokens: 10, neighbours: 1, lastUse: 5 };
    expect(chooseSlot([{ cachedTokens: 0, sharedTokens: 0, neighbours: 0, lastUse: 0 }, nextToStream])).toBe(1);
    expect(chooseSlot([{ cachedTokens: 900, sharedTokens: 900, neighbours: 0, lastUse: 1 }, nextToStream])).toBe(0);
  });

  test("is the least recently used one on a tie", () => {
    expect(
      chooseSlot([
        { cachedTokens: 50, sharedTokens: 10, neighbours: 0, lastUse: 9 },
        { cachedTokens: 50, sharedTokens: 10, neighbours: 0, lastUse: 3 },
      ]),
    ).toBe(1);
  });
});

describe("the prompts of a step", () => {
  test("start with the short ones and include a part of the oldest", () => {
    expect(shareBatch([1000, 10, 900], 64)).toEqual([16, 10, 38]);
    expect(shareBatch([30, 30, 30], 64)).toEqual([30, 30, 4]);
    expect(shareBatch([5, 6], 64)).toEqual([5, 6]);
    expect(shareBatch([100], 64)).toEqual([64]);
    expect(shareBatch([], 64)).toEqual([]);
  });

  test("fill the step, get no more than they need, and always include the oldest", () => {
    const demand = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(
        fc.array(demand, { minLength: 1, maxLength: 16 }),
        fc.integer({ min: 1, max: 512 }),
        (demands, capacity) => {
          const shares = shareBatch(demands, capacity);
          const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
          expect(sum(shares)).toBe(Math.min(capacity, sum(demands)));
          expect(shares.every((share, index) => share >= 0 && share <= (demands[index] ?? 0))).toBe(true);
          expect(shares[0]).toBeGreaterThanOrEqual(Math.min(demands[0] ?? 0, Math.ceil(capacity / 4)));
        },
      ),
    );
  });
});

describe("threads", () => {
  test("are one per available physical core, one if there are two cores, and at least one", () => {
    expect(defaultThreads({ physicalCores: 1 })).toBe(1);
    expect(defaultThreads({ physicalCores: 2 })).toBe(1);
    expect(defaultThreads({ physicalCores: 8 })).toBe(8);
    expect(defaultThreads({ physicalCores: 8, quota: 2.5 })).toBe(1);
    expect(defaultThreads({ physicalCores: 8, quota: 4 })).toBe(4);
    expect(defaultThreads({ physicalCores: 8, quota: 0.5 })).toBe(1);
  });

  test("respect CPU affinity, hyper-threading and the tightest cgroup limit", async () => {
    const siblings = (cpu: number) => `sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`;
    const root = await fakeRoot({
      "proc/self/status": "Name:\tbun\nCpus_allowed_list:\t0-5\n",
      "proc/self/cgroup": "0::/team/box\n",
      "sys/fs/cgroup/team/cpu.max": "150000 100000\n",
      "sys/fs/cgroup/team/box/cpu.max": "max 100000\n",
      ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((cpu) => [siblings(cpu), `${cpu % 3},${(cpu % 3) + 3}`])),
    });
    expect(readCpuShare(root)).toEqual({ physicalCores: 3, quota: 1.5 });
    await rm(root, { recursive: true });
  });

  test("respect cgroups v1 too", async () => {
    const root = await fakeRoot({
      "proc/self/status": "Cpus_allowed_list:\t0,2\n",
      "proc/self/cgroup": "4:cpu,cpuacct:/box\n1:memory:/other\n",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "300000",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
    });
    expect(readCpuShare(root)).toEqual({ physicalCores: 2, quota: 3 });
    await rm(root, { recursive: true });
  });

  test("are undefined if the system doesn't report CPUs", async () => {
    const root = await fakeRoot({});
    expect(readCpuShare(root)).toBeUndefined();
    await rm(root, { recursive: true });
  });

  test("read lists of CPUs", () => {
    expect(parseCpuList("0-2,8\n")).toEqual([0, 1, 2, 8]);
  });

  const fakeRoot = async (files: Record<string, string>) => {
    const root = await mkdtemp(join(tmpdir(), "cpu-"));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    return root;
  };
});

describe("a channel", () => {
  test("delivers everything in order, then ends", async () => {
    const channel = createChannel<number>();
    channel.push(1);
    queueMicrotask(() => {
      channel.push(2);
      channel.end();
      channel.push(3);
    });
    expect(await Array.fromAsync(channel)).toEqual([1, 2]);
  });

  test("delivers a failure immediately", async () => {
    const channel = createChannel<number>();
    channel.push(1);
    channel.fail(new Error("broken"));
    expect(Array.fromAsync(channel)).rejects.toThrow("broken");
  });
});
