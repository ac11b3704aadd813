import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { compose } from "./compose";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** URLs of the nodes, as the gateway shows them. */
const shownUrls = async (settings: Parameters<typeof defaultConfig>[0]): Promise<string[]> => {
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-compose-"));
  folders.push(dataDir);
  const composition = await compose(defaultConfig({ ...settings, dataDir }), silentLog());
  const urls = composition.services.engine.nodes().map(({ url }) => url);
  await composition.close(0);
  return urls;
};

test.each([
  ["127.0.0.1", "http://127.0.0.1:9"],
  ["0.0.0.0", "http://127.0.0.1:9"],
  ["10.0.0.5", "http://10.0.0.5:9"],
  ["::1", "http://[::1]:9"],
])("without a list of nodes, the local node that listens on %s is called at %s", async (host, url) => {
  expect(await shownUrls({ node: { host, port: 9 } })).toEqual([url]);
});

test("a node's user name and password are never shown", async () => {
  const nodes = ["http://ada:secret@127.0.0.1:9"];
  expect(await shownUrls({ gateway: { nodes } })).toEqual(["http://127.0.0.1:9"]);
});
