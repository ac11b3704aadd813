import { describe, expect, test } from "bun:test";
import type { LookupAddress } from "node:dns";
import { createAddressRules } from "./addresses";

const rules = createAddressRules({ allowedNetworks: [], allowsHttp: false });
const open = createAddressRules({ allowedNetworks: ["127.0.0.0/8", "10.1.0.0/16", "fd12::/16"], allowsHttp: true });

/** The error for an address; undefined if it is accepted. */
const problemOf = async (url: string, { check } = rules): Promise<string | undefined> =>
  check(url).then(
    () => undefined,
    (error) => error.message,
  );

describe("S2: a webhook can't have an address that is not public", () => {
  test.each([
    ["loopback", "https://127.0.0.1/"],
    ["loopback, short", "https://127.1/"],
    ["loopback, decimal", "https://2130706433/"],
    ["loopback, hexadecimal", "https://0x7f000001/"],
    ["loopback, octal", "https://0177.0.0.1/"],
    ["loopback in other digits", "https://①②⑦.0.0.1/"],
    ["loopback, IPv6", "https://[::1]/"],
    ["loopback, mapped to IPv6", "https://[::ffff:127.0.0.1]/"],
    ["loopback, mapped to IPv6 in hexadecimal", "https://[::ffff:7f00:1]/"],
    ["loopback, compatible with IPv4", "https://[::127.0.0.1]/"],
    ["loopback by NAT64", "https://[64:ff9b::7f00:1]/"],
    ["loopback by 6to4", "https://[2002:7f00:1::]/"],
    ["Teredo", "https://[2001:0:7f00:1::]/"],
    ["this host", "https://0.0.0.0/"],
    ["this host, IPv6", "https://[::]/"],
    ["private", "https://10.0.0.1/"],
    ["private", "https://172.16.0.1/"],
    ["private, last", "https://172.31.255.255/"],
    ["private", "https://192.168.1.1/"],
    ["private, mapped to IPv6", "https://[::ffff:10.0.0.1]/"],
    ["carrier NAT", "https://100.64.0.1/"],
    ["cloud metadata", "https://169.254.169.254/latest/meta-data/"],
    ["cloud metadata, decimal", "https://2852039166/"],
    ["cloud metadata of AWS, IPv6", "https://[fd00:ec2::254]/"],
    ["link-local, IPv6", "https://[fe80::1]/"],
    ["unique local", "https://[fd12:3456::1]/"],
    ["site-local", "https://[fec0::1]/"],
    ["multicast", "https://224.0.0.1/"],
    ["multicast, IPv6", "https://[ff02::1]/"],
    ["broadcast", "https://255.255.255.255/"],
    ["reserved", "https://240.0.0.1/"],
    ["documentation", "https://203.0.113.1/"],
    ["documentation, IPv6", "https://[2001:db8::1]/"],
    ["benchmarks", "https://198.18.0.1/"],
    ["a name for loopback", "https://localhost/"],
  ])("%s: %s", async (_, url) => {
    expect(await problemOf(url)).toContain("is not a public address. The operator can allow it");
  });

  test.each([
    "https://172.15.0.1/",
    "https://172.32.0.1/",
    "https://9.9.9.9/x",
    "https://100.128.0.1/",
    "https://[2606:4700::1111]/",
  ])("a public address is accepted: %s", async (url) => expect(await problemOf(url)).toBeUndefined());

  test.each([
    ["http://9.9.9.9/", "must begin with https://"],
    ["file:///etc/passwd", "must be a web address"],
    ["ftp://9.9.9.9/", "must be a web address"],
    ["javascript:alert(1)", "must be a web address"],
    ["9.9.9.9", "must be a web address"],
    ["https://user:pass@9.9.9.9/", "must not contain a user name"],
  ])("%s is rejected: %s", async (url, problem) => expect(await problemOf(url)).toContain(problem));

  test("the operator's networks are accepted, and only those", async () => {
    for (const url of ["http://127.0.0.1:9/", "https://10.1.255.1/", "https://[fd12::1]/", "http://localhost/"]) {
      expect([url, await problemOf(url, open)]).toEqual([url, undefined]);
    }
    for (const url of ["https://10.2.0.1/", "https://[fd13::1]/", "https://169.254.169.254/"]) {
      expect([url, await problemOf(url, open)]).toEqual([url, expect.stringContaining("not a public address")]);
    }
  });
});

const looked = (host: string, all: boolean, { lookup } = rules) =>
  new Promise<unknown>((resolve) =>
    lookup(host, { all }, (error, address: string | LookupAddress[], family) =>
      resolve(error ? error.message : [address, family]),
    ),
  );

test("S2: a connection uses only addresses that were checked, so a name can't be rebound", async () => {
  const refusal = "localhost resolves to 127.0.0.1, which is not a public address.";
  expect(await looked("localhost", true)).toStartWith(refusal);
  expect(await looked("localhost", false)).toStartWith(refusal);
  expect(await looked("localhost", false, open)).toEqual(["127.0.0.1", 4]);
  expect(await looked("localhost", true, open)).toEqual([[{ address: "127.0.0.1", family: 4 }], undefined]);
});
