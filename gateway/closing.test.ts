import { expect, test } from "bun:test";
import { silentLog } from "../lib/log";
import { closeAll } from "./closing";

test("a failed step does not prevent the others, and the error names it", async () => {
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
