import { describe, expect, test } from "bun:test";
import { countProgress, drawProgress } from "./progress";

const draw = (isTTY: boolean) => {
  const written: string[] = [];
  let now = 0;
  const report = drawProgress({ isTTY, columns: 100, write: (text) => written.push(text) }, () => now);
  const at = (ms: number, bytes: number) => {
    now = ms;
    report({ task: "fetching model.gguf", done: bytes, total: 100e6, unit: "MB" });
  };
  return { written, at };
};

test("a terminal gets one bar that is redrawn, with rate and time left", () => {
  const { written, at } = draw(true);
  at(0, 0);
  at(10, 1e6); // too soon to be drawn
  at(1000, 20e6);
  at(1050, 100e6);
  expect(written).toHaveLength(3);
  expect(written[1]).toContain("20%  20.0 / 100.0 MB  fetching model.gguf  20.0 MB/s  4 s left");
  expect(written.every((text) => text.startsWith("\r"))).toBe(true);
  expect(written[2]).toEndWith("\n");
});

test("other output gets a line for every tenth", () => {
  const { written, at } = draw(false);
  for (let percent = 0; percent <= 100; percent++) at(percent * 10, percent * 1e6);
  expect(written).toHaveLength(11);
  expect(written[5]).toStartWith(" 50%");
});

test("the rate covers the last seconds", () => {
  const { written, at } = draw(false);
  at(0, 0);
  at(1000, 50e6);
  at(60_000, 60e6);
  at(61_000, 70e6);
  expect(written.at(-1)).toContain("10.0 MB/s  3 s left");
});

describe("counted items", () => {
  const count = (isTTY: boolean, total: number) => {
    const written: string[] = [];
    let now = 0;
    const report = drawProgress({ isTTY, columns: 100, write: (text) => written.push(text) }, () => now);
    const at = (ms: number, done: number) => {
      now = ms;
      report({ task: "reference@1", done, total, unit: "rows" });
    };
    return { written, at };
  };

  test("show the time left, estimated from the time so far", () => {
    const { written, at } = count(true, 200);
    at(0, 0);
    at(60_000, 20);
    expect(written.at(-1)).toContain(" 10%  20 / 200 rows  reference@1  9 min 0 s left");
    at(120_000, 30);
    expect(written.at(-1)).toContain("11 min 20 s left");
  });

  test("without a terminal get a line for every tenth, and more during slow ones", () => {
    const { written, at } = count(false, 1000);
    for (let done = 0; done <= 100; done++) at(done * 10_000, done);
    expect(written[0]).toBe("  0%  0 / 1000 rows  reference@1\n");
    expect(written.length).toBeWithin(30, 40);
    expect(written.every((line) => line.endsWith("\n") && !line.includes("\r"))).toBe(true);
  });

  test("with a total of 0 are done", () => {
    const { written, at } = count(false, 0);
    at(0, 0);
    expect(written).toEqual(["100%  0 / 0 rows  reference@1\n"]);
  });

  test("leave a terminal's line free for other output", () => {
    const written: string[] = [];
    const rows = countProgress("reference@1", 2, "rows", { isTTY: true, write: (text) => written.push(text) });
    rows.clear();
    expect(written.at(-1)).toBe("\r\x1b[2K");
    rows.step();
    rows.step();
    expect(written.at(-1)).toContain("100%  2 / 2 rows");
  });
});
