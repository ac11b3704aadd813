import { expect, test } from "bun:test";
import { ActiveRequests } from "./active-requests";

test("batch requests are noticed once, and not beside any other request", () => {
  const requests = new ActiveRequests();
  const batch = { keyId: "key_1", isBatch: true, end: () => {} };
  const chat = { keyId: "key_2", end: () => {} };
  expect(requests.hadOnlyBatches()).toBe(false);
  requests.add(batch);
  requests.delete(batch);
  expect([requests.hadOnlyBatches(), requests.hadOnlyBatches()]).toEqual([true, false]);
  requests.add(chat);
  requests.add(batch);
  expect(requests.hadOnlyBatches()).toBe(false);
  requests.delete(chat);
  requests.add({ ...batch });
  expect(requests.hadOnlyBatches()).toBe(true);
});
