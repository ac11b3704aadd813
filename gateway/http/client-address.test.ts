import { expect, test } from "bun:test";
import { createClientAddress } from "./client-address";

const behind = createClientAddress(["10.0.0.1", "192.168.0.0/16", "fd00::/8"]);

test.each<[what: string, peer: string, forwardedFor: string | null, address: string]>([
  ["no proxy", "203.0.113.7", null, "203.0.113.7"],
  ["a client that invents an address", "203.0.113.7", "1.1.1.1", "203.0.113.7"],
  ["a trusted proxy", "10.0.0.1", "203.0.113.7", "203.0.113.7"],
  [
    "a trusted proxy, behind a client that invents addresses",
    "10.0.0.1",
    "1.1.1.1, 10.0.0.1, 203.0.113.7",
    "203.0.113.7",
  ],
  ["two trusted proxies", "10.0.0.1", "1.1.1.1, 203.0.113.7, 192.168.4.4", "203.0.113.7"],
  ["a trusted proxy on IPv6", "fd00::5", "2001:db8::7", "2001:db8::7"],
  ["a proxy that is reported as mapped to IPv6", "::ffff:10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"],
  ["a proxy that adds ports", "10.0.0.1", "203.0.113.7:4711", "203.0.113.7"],
  ["a proxy that adds ports to IPv6", "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
  ["a proxy that sends no address", "10.0.0.1", null, "10.0.0.1"],
  ["a proxy that sends something else", "10.0.0.1", "unknown", "10.0.0.1"],
  ["only trusted proxies", "10.0.0.1", "192.168.1.1", "192.168.1.1"],
])("S3: the client's address behind %s", (_, peer, forwardedFor, address) => {
  expect(behind(peer, forwardedFor)).toBe(address);
});

test("S3: without trusted proxies, the header is ignored", () => {
  expect(createClientAddress([])("127.0.0.1", "203.0.113.7")).toBe("127.0.0.1");
});
