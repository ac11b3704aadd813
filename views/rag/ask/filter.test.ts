import { describe, expect, test } from "bun:test";
import { readFilter } from "./filter";

describe("a filter on metadata", () => {
  test.each([
    ["site = north-quay", { site: "north-quay" }],
    ["year >= 2020\nyear < 2025", { year: { gte: 2020, lt: 2025 } }],
    ["kind in memo, letter", { kind: { in: ["memo", "letter"] } }],
    ['code = "007"\nopen = true\n\nend = null', { code: "007", open: true, end: null }],
    ["main topic = bread and butter", { "main topic": "bread and butter" }],
    ['{"or":[{"year":2020},{"year":2021}]}', { or: [{ year: 2020 }, { year: 2021 }] }],
  ])("%j is read as conditions", (text, filter) => {
    expect(readFilter(text)).toEqual(filter as unknown as ReturnType<typeof readFilter>);
  });

  test("a blank filter has no conditions", () => {
    expect(readFilter(" \n ")).toBeUndefined();
  });

  test("a line that is not a condition is quoted, with examples", () => {
    expect(() => readFilter("site = north-quay\nnorth quay")).toThrow(
      "“north quay” is not a condition. Write for example",
    );
    expect(() => readFilter("site =")).toThrow("“site =” is not a condition");
    expect(() => readFilter('{"site":')).toThrow("not valid JSON");
  });
});
