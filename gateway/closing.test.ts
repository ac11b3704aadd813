import { expect, test } from "bun:test";
import { silentLog } from "../lib/log";
import { closeAll } from "./closing";

test("a step that fails keeps none of the others from being run, and is named", async () => {
  const closed: string[] = [];
  const steps = {
    engine: () => closed.push("engine"),
    cache: () => Promise.reject(new Error("Redis hangs.")),
    keys() {
      throw new Error("Full.");
    },
    database: async () => closed.push("database"),
  };
  await expect(closeAll(steps, silentLog())).rejects.toThrow("cache, keys");
  expect(closed).toEqual(["engine", "database"]);
});
