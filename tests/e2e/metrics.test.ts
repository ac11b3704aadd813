import { expect, test } from "bun:test";
import { join } from "node:path";
import { openReads } from "../../db/client";
import { findOldestRollups } from "../../db/rollups";
import type { Kpis } from "../../gateway/metrics/contract";
import { Stack } from "../harness";
import { until } from "../until";

test("metrics survive kill -9 of the gateway once they are stored", async () => {
  const stack = await Stack.start({ engine: "synthetic" });
  try {
    const body = { messages: [{ role: "user", content: "Count this." }], temperature: 1 };
    for (let n = 0; n < 5; n++) expect((await stack.fetch("/v1/chat", { body })).status).toBe(200);
    const readKpis = async (): Promise<Kpis> => JSON.parse(await (await stack.fetch("/v1/metrics?window=2h")).text());
    const chats = ({ routes }: Kpis) => routes.find(({ route }) => route === "/v1/chat")?.requests;
    const before = await readKpis();
    expect(chats(before)).toBe(5);

    const database = await openReads({ url: `file:${join(stack.folder, "data/groundwire.db")}` });
    const isStored = async () => (await findOldestRollups(database)).length === 3;
    await until("the gateway has stored its metrics", isStored, 30_000);
    await stack.restartGateway();
    const after = await readKpis();
    expect(chats(after)).toBe(5);
    expect(after.totals.completion_tokens).toBe(before.totals.completion_tokens);
    expect(after.stages.ttft).toEqual(before.stages.ttft);
    expect(after.cost.keys[0]).toMatchObject({ requests: 5 });
  } finally {
    await stack.stop();
  }
}, 60_000);
