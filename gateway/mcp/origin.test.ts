import { expect, test } from "bun:test";
import { refuseForeignOrigin } from "./origin";

const rules = { isListed: (origin: string) => origin === "https://app.example.com", publicUrl: undefined };

const isAllowed = (origin: string | null, url: string, publicUrl?: string): boolean => {
  try {
    refuseForeignOrigin(origin, url, { ...rules, publicUrl });
    return true;
  } catch {
    return false;
  }
};

test.each<[origin: string | null, url: string, publicUrl: string | undefined, expected: boolean]>([
  [null, "http://127.0.0.1:8080/mcp", undefined, true],
  ["https://app.example.com", "http://gw.example.com/mcp", undefined, true],
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080/mcp", undefined, true],
  ["http://localhost:8080", "http://localhost:8080/mcp", undefined, true],
  ["http://[::1]:8080", "http://[::1]:8080/mcp", undefined, true],
  ["http://192.168.1.5", "http://192.168.1.5/mcp", undefined, true],
  ["https://gw.example.com", "http://10.0.0.1:8080/mcp", "https://gw.example.com/", true],
  ["http://localhost:3000", "http://localhost:8080/mcp", undefined, false],
  ["https://localhost:8080", "http://localhost:8080/mcp", undefined, false],
  // A site can point its own name at the gateway, so a matching name proves nothing.
  ["http://evil.example:8080", "http://evil.example:8080/mcp", undefined, false],
  ["http://evil.example:8080", "http://evil.example:8080/mcp", "https://gw.example.com", false],
  ["http://127.0.0.1.evil.example", "http://127.0.0.1.evil.example/mcp", undefined, false],
  ["http://localhost.evil.example", "http://localhost.evil.example/mcp", undefined, false],
  ["null", "http://127.0.0.1:8080/mcp", undefined, false],
  ["", "http://127.0.0.1:8080/mcp", undefined, false],
])("W1: whether origin %j may call %s (public URL %j): %p", (origin, url, publicUrl, expected) => {
  expect(isAllowed(origin, url, publicUrl)).toBe(expected);
});
