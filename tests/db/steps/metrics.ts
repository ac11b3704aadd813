import { deleteRollups, listRollups, putRollups } from "../../../db/rollups";
import { AT, LATER, type Step, type StepGroup } from "./step";

const row = (tag: string, at: Date, requests: number) => ({
  resolution: "hour" as const,
  at: at.getTime(),
  source: tag,
  measured: { requests },
});

const steps: readonly Step[] = [
  {
    name: "putRollups",
    write: (db, tag) =>
      db.write(async (tx) => {
        await putRollups(tx, [row(tag, AT, 1), row(tag, LATER, 1)]);
        await putRollups(tx, [row(tag, LATER, 2)]);
      }),
  },
  { name: "deleteRollups", write: (db) => db.write((tx) => deleteRollups(tx, "hour", LATER.getTime())) },
];

export const metricSteps: StepGroup = {
  steps,
  stateOf: async (db, tag) => {
    const rows = await listRollups(db, "hour", AT.getTime(), LATER.getTime() + 1);
    return { rollups: rows.filter(({ source }) => source === tag) };
  },
  finalState: (tag) => ({ rollups: [row(tag, LATER, 2)] }),
};
