import { afterEach, expect, test } from "bun:test";
import { choosePort, probePort } from "./ports";

const listeners: { stop(force?: boolean): void }[] = [];
const occupy = (): number => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listeners.push(listener);
  return listener.port;
};
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.stop(true);
});

test("without a configured port, the next free port is used", async () => {
  const busy = occupy();
  expect(await choosePort("127.0.0.1", busy)).toBeGreaterThan(busy);
});

test("a configured port that is busy is rejected, and the error names the setting", async () => {
  const busy = occupy();
  await expect(choosePort("127.0.0.1", busy, { setting: "GROUNDWIRE_PORT" })).rejects.toThrow(
    `GROUNDWIRE_PORT is ${busy}`,
  );
});

test("port 0 chooses a free port", async () => {
  const port = await choosePort("127.0.0.1", 0);
  expect(port).toBeGreaterThan(0);
  expect(await probePort("127.0.0.1", port)).toBe(port);
});

test("an address that is not on this machine is rejected", async () => {
  await expect(choosePort("192.0.2.1", 0)).rejects.toThrow("Can't listen on 192.0.2.1:0");
});
