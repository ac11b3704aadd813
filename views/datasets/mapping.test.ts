import { expect, test } from "bun:test";
import type { ValidationReport } from "../../gateway/datasets/contract";
import { MappingFields } from "./mapping";

const REPORT: ValidationReport = {
  format: "csv",
  rows: 1,
  accepted: 1,
  rejected: 0,
  columns: ["question", "toString"],
  mapping: { question: "input" },
  error_count: 0,
  errors: [],
  warnings: [],
  examples: {},
  duplicates: { exact: 0, near: 0 },
  empty: {},
  lengths: {},
  preview: [],
};

test("the form shows that a column is left out, even if the column is named like an inherited property", async () => {
  const html = String(await MappingFields({ report: REPORT, chosen: REPORT.mapping }));
  const [, second = ""] = html.split('name="column.1"');
  expect(second).toContain('<option value="" selected="">Leave out</option>');
  expect(second).toContain('value="metadata.toString"');
});

test("a problem with the columns is shown like any other field error, and describes the group of columns", async () => {
  const problem = "Set only one column to “Key”";
  const html = String(await MappingFields({ report: REPORT, chosen: REPORT.mapping, problem }));
  expect(html).toMatch(/<fieldset [^>]*aria-describedby="mapping-problem"/);
  expect(html).toContain(`<p class="field-problem" id="mapping-problem">${problem}</p>`);
});
