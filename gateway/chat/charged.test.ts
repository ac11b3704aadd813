import { expect, test } from "bun:test";
import { fakeEngine } from "../../tests/engine-fake";
import { memoryLedger } from "../adapters/ledger-memory";
import type { Asking } from "../call";
import { createLedger } from "../limits/ledger";
import { createModels } from "../models/registry";
import type { EngineReply } from "../ports/engine";
import type { Principal } from "../principal";
import { charged } from "./charged";

test("a caller that left before the answer arrived holds no slot of the model", async () => {
  const models = [{ model: "fake-model", parallel_requests: 1 }];
  const principal: Principal = {
    ...{ keyId: "key_1", keyName: "test", role: "member", contentLogging: true, via: "key" },
    limits: { requestsPerMinute: 60, parallelRequests: 4, models },
  };
  const slots = () => ({ answers: 1, embeddings: 1 });
  const ledger = createLedger({ store: memoryLedger(), price: { currency: "USD" }, slots });
  const model = createModels({
    engine: fakeEngine(),
    defaults: { chat: "fake-model", embedding: "fake-embedder" },
  }).resolve(principal, "chat", undefined);
  const leaving = new AbortController();
  const call: Asking = {
    ...{ principal, requestId: "req_1", priority: "interactive", receivedAt: 0 },
    directives: { noCache: false, noStore: false, onlyIfCached: false },
  };
  const ask = () =>
    charged(
      ledger,
      call,
      model,
      { body: { messages: [] }, json: "{}", isStream: false, signal: leaving.signal },
      async (): Promise<EngineReply> => {
        leaving.abort();
        const head = { node: "node-1", modelRevision: "r1", engine: "test", retries: 0, queueMs: 0 };
        return { ...head, body: (async function* () {})() };
      },
    );
  await ask();
  const { limits } = await ledger.explain(principal);
  const slot = limits.find(({ limit }) => limit.model !== null);
  expect([slot?.limit.name, slot?.reading.used]).toEqual(["parallel_requests", 0]);
});
