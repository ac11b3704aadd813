import { describe, expect, test } from "bun:test";
import { localPath, refuseForeignWrite, sessionCookie, setSessionCookie, themeOf } from "./session";

const request = (headers: Record<string, string>, method = "POST", url = "http://localhost/theme") =>
  new Request(url, { method, headers });

describe("the page after signing in", () => {
  test.each(["/chat", "/chat/chat_1?x=1", "/"])("is %s if that is a local path", (path) =>
    expect(localPath(path)).toBe(path),
  );

  test.each([
    ["https://evil.example"],
    ["//evil.example"],
    ["/\\evil.example"],
    ["/\t/evil.example"],
    ["javascript:alert(1)"],
    ["/a\\b"],
    ["/\u4e2d"],
    ["/caf\u00e9"],
    ["/chat\r\nset-cookie: a=b"],
    [""],
    [undefined],
  ])("is the home page for the non-local path %j", (path) => expect(localPath(path)).toBe("/"));
});

describe("W1: a write with the session cookie", () => {
  const allowed = (headers: Record<string, string>, publicUrl?: string) => {
    refuseForeignWrite(request({ host: "ai.example.com", ...headers }), publicUrl);
    return true;
  };

  test("is accepted from our own pages", () => {
    expect(allowed({ "sec-fetch-site": "same-origin" })).toBe(true);
    expect(allowed({ "sec-fetch-site": "none" })).toBe(true);
  });

  test("is accepted by its origin if a browser sends no Sec-Fetch-Site", () => {
    expect(allowed({ origin: "https://ai.example.com" })).toBe(true);
    expect(allowed({ host: "10.0.0.1", origin: "https://ai.example.com" }, "https://ai.example.com")).toBe(true);
  });

  test.each([
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ "sec-fetch-site": "cross-site", origin: "https://ai.example.com" }],
    [{ origin: "https://evil.example" }],
    [{ origin: "null" }],
    [{}],
  ])("is rejected with %j", (headers) => expect(() => allowed(headers)).toThrow("another site"));

  test("is accepted without a check if it only reads", () => {
    refuseForeignWrite(request({ "sec-fetch-site": "cross-site" }, "GET"), undefined);
  });
});

describe("W2: the session cookie", () => {
  const session = { cookie: "value", expiresAt: new Date("2026-12-01T00:00:00Z") };

  test("is bound to the host and, with https, to https", () => {
    const set = setSessionCookie(request({}), session, "https://ai.example.com");
    expect(set).toBe(
      "__Host-groundwire=value; Path=/; Expires=Tue, 01 Dec 2026 00:00:00 GMT; HttpOnly; SameSite=Lax; Secure",
    );
    const shown = request({ cookie: "theme=x; groundwire=planted; __Host-groundwire=value" });
    expect(sessionCookie(shown, "https://ai.example.com")).toBe("value");
  });

  test("set by a sibling host is ignored under https", () => {
    const planted = request({ cookie: "groundwire=planted" });
    expect(sessionCookie(planted, "https://ai.example.com")).toBeUndefined();
  });

  test("works on a laptop without https", () => {
    expect(setSessionCookie(request({}), session)).toStartWith("groundwire=value; Path=/");
    expect(sessionCookie(request({ cookie: "groundwire=value" }))).toBe("value");
  });

  test("is deleted at sign-out", () => {
    expect(setSessionCookie(request({}), undefined)).toContain("groundwire=; Path=/; Expires=Thu, 01 Jan 1970");
  });
});

test("an unknown theme becomes the system theme", () => {
  expect(themeOf(request({ cookie: "groundwire-theme=dark" }))).toBe("dark");
  expect(themeOf(request({ cookie: "groundwire-theme=neon" }))).toBe("system");
});
