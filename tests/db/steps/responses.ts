import type { Db } from "../../../db/client";
import { insertKey } from "../../../db/keys";
import * as responses from "../../../db/responses";
import { AT, LATER, type Step, type StepGroup } from "./step";

const KEPT_UNTIL = new Date("2099-01-01T00:00:00.000Z");
const keyOf = (tag: string) => `key_responses_${tag}`;

const row = (tag: string, name: string, previous: string | null, expiresAt: Date) => ({
  id: `resp_${tag}_${name}`,
  keyId: keyOf(tag),
  previousId: previous && `resp_${tag}_${previous}`,
  input: [{ name }],
  response: { status: "completed", output: [{ text: `${name} \u0000 \ud83d\ude00` }] },
  createdAt: AT,
  expiresAt,
});

const insert = (db: Db, ...rows: ReturnType<typeof row>[]) =>
  db.write(async (tx) => {
    for (const one of rows) await responses.insertResponse(tx, one);
  });

const steps: readonly Step[] = [
  {
    name: "insertResponse",
    async write(db, tag) {
      const secretHash = Buffer.from(keyOf(tag));
      await db.write((tx) => insertKey(tx, { id: keyOf(tag), name: tag, role: "member", secretHash, createdAt: AT }));
      await insert(db, row(tag, "first", null, LATER), row(tag, "second", "first", KEPT_UNTIL));
    },
  },
  {
    name: "deleteResponse",
    async write(db, tag) {
      await insert(db, row(tag, "deleted", null, KEPT_UNTIL));
      await db.write((tx) => responses.deleteResponse(tx, keyOf(tag), `resp_${tag}_deleted`, AT));
    },
  },
  {
    name: "deleteExpiredResponses",
    async write(db, tag) {
      await insert(db, row(tag, "expired", null, AT));
      await responses.deleteExpiredResponses(db, LATER, 100);
    },
  },
];

/** The first response would have expired, but the second one, which continues it, extends its expiry. */
export const responseSteps: StepGroup = {
  steps,
  async stateOf(db, tag) {
    const ids = ["first", "second", "deleted", "expired"].map((name) => `resp_${tag}_${name}`);
    const found = await Promise.all(ids.map((id) => responses.findResponse(db, keyOf(tag), id, new Date(0))));
    const [firstId = "", secondId = ""] = ids;
    const chainOf = (owner: string, maxBytes: number) => responses.listChain(db, owner, secondId, LATER, maxBytes);
    const places = [
      { responseId: firstId, list: "input", place: 0 },
      { responseId: secondId, list: "output", place: 0 },
      { responseId: secondId, list: "output", place: 1 },
    ] as const;
    const itemsOf = (owner: string, maxBytes: number) => responses.findItems(db, owner, places, LATER, maxBytes);
    return {
      found: found.filter((one) => one !== undefined),
      chain: await chainOf(keyOf(tag), 1000),
      ofOther: [await chainOf("key_other", 1000), await itemsOf("key_other", 1000)],
      items: await itemsOf(keyOf(tag), 1000),
      tooLarge: [(await chainOf(keyOf(tag), 10)).map(({ id }) => id), await itemsOf(keyOf(tag), 10)],
    };
  },
  finalState(tag) {
    const found = [row(tag, "first", null, KEPT_UNTIL), row(tag, "second", "first", KEPT_UNTIL)];
    const chain = found.map(({ id, previousId, input, response: { output } }, index) => {
      const later = found.slice(index).flatMap((one) => [one.input, one.response.output]);
      const totalBytes = later.reduce((sum, items) => sum + Buffer.byteLength(JSON.stringify(items)), 0);
      return { id, previousId, input, output, totalBytes };
    });
    return {
      ...{ found, chain, ofOther: [[], []] },
      items: [found[0]?.input[0], found[1]?.response.output[0]],
      tooLarge: [[`resp_${tag}_second`], undefined],
    };
  },
};
