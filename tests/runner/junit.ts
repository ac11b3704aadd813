type Outcome = "passed" | "failed" | "skipped";

export interface TestCase {
  /** Path relative to the project's root. */
  file: string;
  /** The test's name with its describe blocks: "cache > a hit streams too". */
  name: string;
  outcome: Outcome;
}

const TAG = /<(?<close>\/?)(?<name>[a-z]+)(?<attributes>(?:\s+[\w-]+="[^"]*")*)\s*(?<empty>\/?)>/g;
const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const decode = (text: string): string =>
  text.replace(/&(?:#(\d+)|(\w+));/g, (entity, code?: string, name?: string) =>
    code ? String.fromCodePoint(Number(code)) : (ENTITIES[name ?? ""] ?? entity),
  );

const attributesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, decode(value)]),
  );

/**
 * The test cases in a report of `bun test --reporter=junit`, in order. Throws if the report is truncated, for example
 * because the runner crashed.
 */
export const parseJUnit = (xml: string): TestCase[] => {
  if (!xml.trimEnd().endsWith("</testsuites>") && !/<testsuites[^>]*\/>\s*$/.test(xml)) {
    throw new Error("The test report is truncated.");
  }
  const cases: TestCase[] = [];
  const suites: string[] = [];
  for (const { groups = {} } of xml.matchAll(TAG)) {
    const { name, close, empty } = groups;
    const attributes = attributesOf(groups.attributes ?? "");
    if (name === "testsuite") {
      if (close) suites.pop();
      else if (!empty) suites.push(attributes.name ?? "");
    } else if (name === "testcase" && !close) {
      // The outermost suite is the file.
      cases.push({
        file: attributes.file ?? "",
        name: [...suites.slice(1), attributes.name].join(" > "),
        outcome: "passed",
      });
    } else if (!close && (name === "failure" || name === "error" || name === "skipped")) {
      const last = cases.at(-1);
      if (last) last.outcome = name === "skipped" ? "skipped" : "failed";
    }
  }
  return cases;
};
