import { addLimitUsage, listLimitUsage } from "../../../db/limit-usage";
import { AT, LATER, type Step, type StepGroup } from "./step";

const row = (tag: string, leavesAt: Date, amount: number) => ({
  counter: `${tag} tokens day`,
  leavesAt: leavesAt.getTime(),
  amount,
});

const steps: readonly Step[] = [
  {
    name: "addLimitUsage",
    async write(db, tag) {
      await addLimitUsage(db, [row(tag, AT, 5), row(tag, LATER, 10)], AT.getTime() - 1);
      await addLimitUsage(db, [row(tag, LATER, -3)], AT.getTime());
    },
  },
];

export const limitSteps: StepGroup = {
  steps,
  stateOf: async (db, tag) => {
    const rows = await listLimitUsage(db, 0);
    return { usage: rows.filter(({ counter }) => counter.startsWith(`${tag} `)) };
  },
  finalState: (tag) => ({ usage: [row(tag, LATER, 7)] }),
};
