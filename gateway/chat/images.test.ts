import { describe, expect, test } from "bun:test";
import { createImageRules } from "./images";

const HOSTS = ["images.example.com", "*.cdn.example.org", "minio:9000", "xn--bcher-kva.example"];
const rules = createImageRules(HOSTS);
const bodyWith = (url: unknown) => ({
  messages: [{ role: "user", content: [{ type: "text" }, { type: "image_url", image_url: { url } }] }],
});
const check = (url: string, used = rules) => {
  try {
    return used.check(bodyWith(url));
  } catch (error) {
    return error as Error & { kind?: string; detail?: { param?: string } };
  }
};

describe("S2: an image is fetched from an allowed host", () => {
  test.each([
    "https://images.example.com/a.png",
    "http://images.example.com/a.png",
    "https://images.example.com",
    "https://IMAGES.example.COM/A.png",
    "https://images.example.com:443/a.png",
    "https://images.example.com:0443/a.png",
    "http://images.example.com:80/a.png",
    "https://images.example.com/a%20b.png?size=1&key=x%2F#top",
    "https://images.example.com/@evil.example/a.png",
    "https://a.cdn.example.org/a.png",
    "https://a.b.cdn.example.org/a.png",
    "http://minio:9000/bucket/a.png",
    "https://xn--bcher-kva.example/a.png",
  ])("%s", (url) => {
    expect(check(url)).toBe(true);
  });
});

const DATA = "a data URL of a PNG, JPEG, WebP or GIF image";
const PLAIN = "must be a plain ASCII address";
const HOST = "not an allowed host";

describe("S2: an address that could lead elsewhere is refused:", () => {
  test.each<[url: string, why: string]>([
    // Other hosts, including names that contain an allowed one.
    ["https://example.com/a.png", HOST],
    ["https://evil.example/images.example.com", HOST],
    ["https://images.example.com.evil.example/a.png", HOST],
    ["https://evilimages.example.com/a.png", HOST],
    ["https://cdn.example.org/a.png", HOST],
    ["https://evilcdn.example.org/a.png", HOST],
    ["https://.cdn.example.org/a.png", HOST],
    ["https://images.example.com./a.png", HOST],
    ["https://bücher.example/a.png", PLAIN],
    ["https://images。example。com/a.png", PLAIN],
    ["https://ｉmages.example.com/a.png", PLAIN],
    ["https://images%2eexample.com/a.png", PLAIN],
    ["https://xn--a.example/a.png", PLAIN],
    // Ports.
    ["https://images.example.com:8443/a.png", HOST],
    ["https://images.example.com:80/a.png", HOST],
    ["https://images.example.com:99999/a.png", PLAIN],
    ["https://images.example.com:/a.png", PLAIN],
    ["http://minio/a.png", HOST],
    ["http://minio:9001/a.png", HOST],
    // IP addresses.
    ["http://127.0.0.1/a.png", HOST],
    ["http://169.254.169.254/latest/meta-data", HOST],
    ["http://2130706433/a.png", HOST],
    ["http://0x7f000001/a.png", HOST],
    ["http://0177.0.0.1/a.png", HOST],
    ["http://127.1/a.png", HOST],
    ["http://[::1]/a.png", PLAIN],
    ["http://[::ffff:127.0.0.1]/a.png", PLAIN],
    ["http://localhost/a.png", HOST],
    // Credentials, and characters that parsers read differently.
    ["https://images.example.com@evil.example/a.png", PLAIN],
    ["https://user:password@images.example.com/a.png", PLAIN],
    ["https://evil.example\\@images.example.com/a.png", PLAIN],
    ["https://images.example.com\\@evil.example/a.png", PLAIN],
    ["https://images.example.com#@evil.example/a.png", PLAIN],
    ["https://images.example.com?@evil.example/a.png", PLAIN],
    ["https://images.example.com;@evil.example/a.png", PLAIN],
    ["https:images.example.com/a.png", PLAIN],
    ["https:/images.example.com/a.png", PLAIN],
    ["https:///images.example.com/a.png", PLAIN],
    ["https:\\\\images.example.com/a.png", PLAIN],
    ["https://images.example.com /a.png", PLAIN],
    ["https://images.example.com/a b.png", PLAIN],
    ["https://images.example.com/a.png\r\nhost: evil.example", PLAIN],
    ["https://images.example.com/\ta.png", PLAIN],
    ["https://images\n.example.com/a.png", PLAIN],
    ["https://images.example.com/ä.png", PLAIN],
    ["https://", PLAIN],
    ["http:", PLAIN],
    // Schemes.
    [" https://images.example.com/a.png", DATA],
    ["HTTPS://images.example.com/a.png", DATA],
    ["//images.example.com/a.png", DATA],
    ["file:///etc/passwd", DATA],
    ["ftp://images.example.com/a.png", DATA],
    ["gopher://images.example.com/a.png", DATA],
    ["javascript:alert(1)", DATA],
    ["view-source:https://images.example.com/", DATA],
    ["data:text/html;base64,AAAA", DATA],
    ["data:image/svg+xml;base64,AAAA", DATA],
    ["data:image/png,AAAA", DATA],
    ["", DATA],
  ])("%j", (url, why) => {
    const error = check(url);
    const param = "messages.0.content.1.image_url.url";
    expect(error).toMatchObject({ kind: "invalid_request", detail: { param } });
    expect((error as Error).message).toStartWith(param);
    expect((error as Error).message).toContain(why);
  });
});

test("S2: by default, no address is allowed, and the error says what to send", () => {
  const none = createImageRules([]);
  for (const url of ["https://images.example.com/a.png", "http://127.0.0.1/", "file:///etc/passwd", ""]) {
    expect(check(url, none)).toMatchObject({ message: expect.stringContaining(DATA) });
  }
  expect(check("data:image/webp;base64,AAAA", none)).toBe(false);
});

test("invalid bodies and plain texts contain no images", () => {
  for (const body of [{}, { messages: 1 }, { messages: [null, { content: "https://example.com" }] }, bodyWith(5)]) {
    expect(rules.check(body)).toBe(false);
  }
});
