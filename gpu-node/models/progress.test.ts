import { expect, test } from "bun:test";
import { drawProgress } from "./progress";

const draw = (isTTY: boolean) => {
  const written: string[] = [];
  let now = 0;
  const onProgress = drawProgress({ isTTY, columns: 100, write: (text) => written.push(text) }, () => now);
  const at = (ms: number, bytes: number) => {
    now = ms;
    onProgress({ file: "model.gguf", step: "download", bytes, total: 100e6 });
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

test("anything else gets a line for every tenth", () => {
  const { written, at } = draw(false);
  for (let percent = 0; percent <= 100; percent++) at(percent * 10, percent * 1e6);
  expect(written).toHaveLength(11);
  expect(written[5]).toStartWith(" 50%");
});

test("the rate is the one of the last seconds", () => {
  const { written, at } = draw(false);
  at(0, 0);
  at(1000, 50e6);
  at(60_000, 60e6);
  at(61_000, 70e6);
  expect(written.at(-1)).toContain("10.0 MB/s  3 s left");
});
