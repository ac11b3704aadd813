import { expect, test } from "bun:test";
import pino from "pino";
import { AppError } from "./errors";
import { loggedError } from "./logged-error";

const SECRET = "the text of a prompt";

/** Like drizzle's DrizzleQueryError, which `lib/` may not import. */
class QueryError extends Error {
  constructor(
    readonly query: string,
    readonly params: unknown[],
    cause: Error,
  ) {
    super(`Failed query: ${query}\nparams: ${params}`, { cause });
  }
}

test("an error keeps its type, message, code, stack and causes", () => {
  const disk = Object.assign(new RangeError("disk I/O error"), { code: "SQLITE_IOERR" });
  const logged = loggedError(new AppError("unavailable", "The database is unavailable.", { cause: disk }));
  expect(logged).toMatchObject({
    ...{ type: "AppError", message: "The database is unavailable.", code: "unavailable" },
    cause: { type: "RangeError", message: "disk I/O error", code: "SQLITE_IOERR" },
  });
  expect(logged.stack).toContain("logged-error.test.ts");
});

test.each<[what: string, thrown: unknown]>([
  ["a statement's parameters", new QueryError("insert into messages", [SECRET], new Error("disk full"))],
  ["a response's body", new AppError("upstream_error", "Not JSON.", { cause: { choices: [SECRET] } })],
  ["details of the request", new AppError("invalid_request", "No.", { details: [{ path: "x", message: SECRET }] })],
  ["extra fields", Object.assign(new Error("refused"), { body: SECRET, request: { headers: { cookie: SECRET } } })],
  ["a thrown text", SECRET],
  ["a thrown object", { prompt: SECRET }],
])("X1: %s is not logged", (_, thrown) => {
  expect(JSON.stringify(loggedError(thrown))).not.toContain(SECRET);
});

test("a chain of causes that never ends is cut", () => {
  const error = new Error("again");
  error.cause = error;
  expect(JSON.stringify(loggedError(error)).length).toBeLessThan(20_000);
});

test("X3: an error's text stays on one line of the log", () => {
  const lines: string[] = [];
  const log = pino({ serializers: { err: (thrown) => loggedError(thrown) } }, { write: (line) => lines.push(line) });
  log.error({ err: new Error('two\r\nlines\u001b[31m","level":"info') }, "failed");
  expect(lines).toHaveLength(1);
  for (const character of ["\r", "\u001b"]) expect(lines[0]).not.toContain(character);
  expect(JSON.parse(lines[0] ?? "").err.message).toBe('two\r\nlines\u001b[31m","level":"info');
});
