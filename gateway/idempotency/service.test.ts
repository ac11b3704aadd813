import { expect, test } from "bun:test";
import { silentLog } from "../../lib/log";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import type { Exchange } from "../http/exchange";
import { createIdempotency } from "./service";

test("repeating a request whose response was encrypted with another admin key is a conflict", async () => {
  const db = await temporaryDb();
  const { once } = createIdempotency({ db, log: silentLog() });
  const send = (apiKey: string) => {
    const headers = { authorization: `Bearer ${apiKey}`, "idempotency-key": "the-same" };
    const request = new Request("http://localhost/v1/keys", { method: "POST", headers });
    const exchange = { request, requestId: "req_1", headers: {} } as unknown as Exchange;
    return once(exchange, { keyId: "key_bootstrap" }, {}, async () => ({ made: 1 }));
  };
  expect(await send("before")).toEqual({ made: 1 });
  expect((await problemOf(send("after"))).kind).toBe("conflict");
  expect(await send("before")).toEqual({ made: 1 });
  await db.close();
});
