import {
  deleteOldRequests,
  deleteReplacedRequest,
  findRequest,
  insertRequests,
  listRequests,
  type NewRequestRow,
} from "../../../db/requests";
import { AT, LATER, type Step, type StepGroup } from "./step";

const request = (tag: string, name: string, receivedAt: Date, more: Partial<NewRequestRow> = {}): NewRequestRow => ({
  id: `req_${tag}_${name}`,
  receivedAt,
  route: "/v1/chat",
  status: 200,
  faultDomain: null,
  keyId: `key_${tag}`,
  model: null,
  totalMs: 120.25,
  detail: { method: "POST" },
  isCut: null,
  prompt: null,
  answer: null,
  ...more,
});

const chat: Partial<NewRequestRow> = {
  model: "small",
  detail: { method: "POST", node: "n1", stream: true, cache: "miss", attempts: 2, gatewayMs: 0.12, promptTokens: 12 },
  ...{ isCut: false, prompt: '{"a":"\\u0000 \ud83d\ude00"}', answer: "Paris" },
};
const failed: Partial<NewRequestRow> = {
  ...{ status: 429, faultDomain: "policy" },
  detail: { method: "GET", code: "rate_limited" },
};

const steps: readonly Step[] = [
  {
    name: "insertRequests",
    write: (db, tag) =>
      db.write((tx) =>
        insertRequests(tx, [
          request(tag, "ancient", new Date(1)),
          request(tag, "chat", AT, chat),
          request(tag, "refused", LATER, failed),
        ]),
      ),
  },
  {
    name: "deleteReplacedRequest",
    write: (db, tag) =>
      db.write(async (tx) => {
        await insertRequests(tx, [request(tag, "refused", new Date(LATER.getTime() + 1), { totalMs: 1 })]);
        await deleteReplacedRequest(tx, request(tag, "refused", LATER));
        await insertRequests(tx, [request(tag, "refused", LATER, failed)]);
      }),
  },
  { name: "deleteOldRequests", write: (db) => db.write((tx) => deleteOldRequests(tx, new Date(2), 1000, 100)) },
];

export const requestSteps: StepGroup = {
  steps,
  stateOf: async (db, tag) => {
    const whole = await findRequest(db, `req_${tag}_chat`);
    const listed = await listRequests(db, { keyId: `key_${tag}` }, 10);
    const refused = await listRequests(
      db,
      { keyId: `key_${tag}`, errorCode: "rate_limited", statuses: [400, 499] },
      10,
    );
    const idsOf = (rows: typeof listed) => rows.map(({ id, hasBodies }) => `${id} ${hasBodies}`);
    return { whole: { ...whole, seq: undefined }, listed: idsOf(listed), refused: idsOf(refused) };
  },
  finalState: (tag) => ({
    whole: { ...request(tag, "chat", AT, chat), seq: undefined },
    listed: [`req_${tag}_refused false`, `req_${tag}_chat true`],
    refused: [`req_${tag}_refused false`],
  }),
};
