import { expect, test } from "bun:test";
import { toWire } from "./wire";

test("names become snake_case and times ISO 8601; other values stay as they are", () => {
  const at = new Date("2026-11-23T20:15:00.000Z");
  expect(toWire({ id: "a", createdAt: at, revokedAt: null, requestsPerMinute: 5, allowedModels: ["m"] })).toEqual({
    id: "a",
    created_at: at.toISOString(),
    revoked_at: null,
    requests_per_minute: 5,
    allowed_models: ["m"],
  });
});
