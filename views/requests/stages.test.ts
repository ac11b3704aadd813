import { expect, test } from "bun:test";
import type { LoggedRequest } from "../../gateway/requests/contract";
import { stagesOf } from "./stages";

const request = (timing: Partial<LoggedRequest["timing"]>, more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  id: "req_1",
  received_at: "2026-11-23T20:15:00.000Z",
  method: "POST",
  route: "/v1/chat",
  object: null,
  status: 200,
  error: null,
  key: null,
  model: "m",
  node: "n",
  stream: false,
  cache: "miss",
  calls: 1,
  attempts: 1,
  timing: { gateway_ms: null, queue_ms: null, ttft_ms: null, total_ms: 100, ...timing },
  usage: { prompt_tokens: 5, completion_tokens: 8 },
  has_bodies: false,
  ...more,
});

const shown = (given: LoggedRequest) => stagesOf(given).map(({ name, ms }) => `${name} ${ms}`);

test("the stages of an answer add up to its total time", () => {
  expect(shown(request({ gateway_ms: 1, queue_ms: 20, ttft_ms: 51 }))).toEqual([
    "Gateway 1",
    "Waiting in the queue 20",
    "First token 30",
    "Rest of the answer 49",
  ]);
});

test("stages that a request didn't have are left out: no model, a cached answer, embeddings", () => {
  expect(shown(request({}, { calls: 0, model: null }))).toEqual(["Gateway 100"]);
  expect(shown(request({}, { calls: 0 }))).toEqual(["Gateway and node 100"]);
  const none = { prompt_tokens: 0, completion_tokens: 0 };
  expect(shown(request({ gateway_ms: 60, queue_ms: 0, ttft_ms: 60 }, { cache: "hit", usage: none }))).toEqual([
    "Found in the cache 60",
    "Response 40",
  ]);
  expect(shown(request({ gateway_ms: 1, queue_ms: 2, ttft_ms: 100 }, { usage: none }))).toEqual([
    "Gateway 1",
    "Waiting in the queue 2",
    "Node 97",
  ]);
});

test("times that were measured on different clocks never give a stage below 0, or a sum above the total", () => {
  const stages = stagesOf(request({ gateway_ms: 90, queue_ms: 60, ttft_ms: 40 }));
  expect(stages.every(({ ms }) => ms > 0)).toBe(true);
  expect(stages.reduce((sum, { ms }) => sum + ms, 0)).toBe(100);
});
