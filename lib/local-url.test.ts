import { expect, test } from "bun:test";
import { localUrl } from "./local-url";

test.each([
  ["127.0.0.1", "http://127.0.0.1:8081"],
  ["10.0.0.5", "http://10.0.0.5:8081"],
  ["::1", "http://[::1]:8081"],
  ["0.0.0.0", "http://127.0.0.1:8081"],
  ["::", "http://[::1]:8081"],
])("a server that listens on %s is reached at %s", (host, url) => {
  expect(localUrl("http", host, 8081)).toBe(url);
});
