import { expect, test } from "bun:test";
import { readText } from "../../tests/datasets/read";

test("every sample of the sample dataset is accepted, with a reference", async () => {
  const text = await Bun.file(new URL("./sample-dataset.jsonl", import.meta.url)).text();
  const { samples, report } = await readText("jsonl", text);
  expect(report).toMatchObject({ rows: 21, accepted: 21, rejected: 0, duplicates: { exact: 0, near: 0 } });
  for (const { references } of samples) expect(references).not.toBeEmpty();
});
