/** The outcome of a test case. `text` is shown below the message, and may be long. */
type JunitOutcome =
  | { kind: "passed" }
  | { kind: "failure" | "error"; type: string; message: string; text: string }
  | { kind: "skipped"; message: string };

export interface JunitCase {
  name: string;
  /** Groups cases, such as the dataset. */
  classname: string;
  seconds: number | null;
  outcome: JunitOutcome;
}

export interface JunitSuite {
  name: string;
  startedAt: string | null;
  /** Counts of the cases, which come first in the file. */
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  seconds: number;
  properties: Readonly<Record<string, string>>;
}

/** Writes one suite as JUnit XML, as most CI systems read it. Characters that XML can't contain are removed. */
export async function* writeJunit(
  { name, startedAt, properties, seconds, ...counts }: JunitSuite,
  cases: AsyncIterable<JunitCase> | Iterable<JunitCase>,
): AsyncGenerator<string> {
  const all = { name, ...counts, time: timeOf(seconds) };
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes(all)}>\n`;
  yield `  <testsuite${attributes({ ...all, timestamp: startedAt?.slice(0, 19) })}>\n    <properties>\n`;
  for (const [key, value] of Object.entries(properties)) {
    yield `      <property${attributes({ name: key, value })}/>\n`;
  }
  yield "    </properties>\n";
  for await (const each of cases) yield caseText(each);
  yield "  </testsuite>\n</testsuites>\n";
}

const caseText = ({ name, classname, seconds, outcome }: JunitCase): string => {
  const start = `    <testcase${attributes({ name, classname, time: seconds === null ? undefined : timeOf(seconds) })}`;
  if (outcome.kind === "passed") return `${start}/>\n`;
  const { kind, message } = outcome;
  if (kind === "skipped") return `${start}>\n      <skipped${attributes({ message })}/>\n    </testcase>\n`;
  const { type, text } = outcome;
  return `${start}>\n      <${kind}${attributes({ type, message })}>${escaped(text)}</${kind}>\n    </testcase>\n`;
};

const timeOf = (seconds: number): string => seconds.toFixed(3);

const attributes = (values: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(values)
    .map(([name, value]) => (value === undefined ? "" : ` ${name}="${escaped(String(value), ATTRIBUTE)}"`))
    .join("");

/** Characters that XML 1.0 doesn't allow (section 2.2): control characters, halves of surrogate pairs, U+FFFE, U+FFFF. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const TEXT = /[&<>\r]/g;
/** Line breaks and tabs in an attribute would be read as spaces. */
const ATTRIBUTE = /[&<>"\t\n\r]/g;
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text: string, pattern = TEXT): string =>
  text.replace(FORBIDDEN, "").replace(pattern, (found) => ENTITIES[found] ?? `&#${found.charCodeAt(0)};`);
