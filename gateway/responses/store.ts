import type { Db } from "../../db/client";
import * as table from "../../db/responses";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { ResponseObject } from "./contract";
import { type Item, placeOf } from "./items";

const DAY_MS = 86_400_000;
/** Rows per deletion. A row can contain megabytes of images. */
const SWEEP_ROWS = 100;

interface StoreDeps {
  db: Db;
  /** How many days a response is kept after it was created or last continued; 0: nothing is stored. */
  days: number;
  /** Maximum size of the items that one request continues, and of those that it refers to. */
  maxBytes: number;
  now?: () => Date;
}

export interface StoredResponse {
  response: ResponseObject;
  /** The request's items. */
  input: Item[];
}

type Owner = Pick<Principal, "keyId">;

/** The stored responses. A key only finds its own. */
export const createResponseStore = ({ db, days, maxBytes, now = () => new Date() }: StoreDeps) => {
  const toStored = ({ response, input }: table.ResponseRow): StoredResponse => ({
    response: response as unknown as ResponseObject,
    input: input as Item[],
  });

  return {
    isOn: days > 0,

    save({ keyId }: Owner, { response, input }: StoredResponse): Promise<void> {
      const row = {
        ...{ id: response.id, keyId, previousId: response.previous_response_id, input, response: { ...response } },
        createdAt: new Date(response.created_at * 1000),
        expiresAt: new Date(now().getTime() + days * DAY_MS),
      };
      return db.write((tx) => table.insertResponse(tx, row));
    },

    /** Throws not_found. */
    async find({ keyId }: Owner, id: string): Promise<StoredResponse> {
      const row = await table.findResponse(db, keyId, id, now());
      if (!row) throw noResponse(id, "id");
      return toStored(row);
    },

    /**
     * The items of a response and of the responses it continues, oldest first. Throws not_found if one of them was deleted or has
     * expired, and payload_too_large.
     */
    async history({ keyId }: Owner, id: string): Promise<Item[]> {
      const chain = await table.listChain(db, keyId, id, now(), maxBytes);
      const [first] = chain;
      if (first && first.totalBytes > maxBytes) throw tooLarge(maxBytes, "previous_response_id");
      if (chain.at(-1)?.id !== id) throw noResponse(id, "previous_response_id");
      if (first?.previousId) {
        const message = `Response ${first.previousId}, which ${id} continues, was deleted or has expired. Send the conversation in input instead.`;
        throw new AppError("not_found", message, { param: "previous_response_id" });
      }
      return chain.flatMap(({ input, output }) => [...input, ...output] as Item[]);
    },

    /** The stored items with these ids. Throws payload_too_large. */
    async items({ keyId }: Owner, ids: readonly string[]): Promise<Map<string, Item>> {
      const places = ids.flatMap((id) => placeOf(id) ?? []);
      if (places.length === 0) return new Map();
      const items = await table.findItems(db, keyId, places, now(), maxBytes);
      if (!items) throw tooLarge(maxBytes, "input");
      return new Map((items as Item[]).map((item) => [item.id, item]));
    },

    /** Throws not_found. */
    async remove({ keyId }: Owner, id: string): Promise<void> {
      if (!(await db.write((tx) => table.deleteResponse(tx, keyId, id, now())))) throw noResponse(id, "id");
    },

    /** Deletes responses that have expired. */
    async sweep(): Promise<void> {
      while (await table.hasExpiredResponses(db, now())) await table.deleteExpiredResponses(db, now(), SWEEP_ROWS);
    },
  };
};

export type ResponseStore = ReturnType<typeof createResponseStore>;

const noResponse = (id: string, param: string): AppError =>
  new AppError(
    "not_found",
    `Response ${JSON.stringify(id)} was not found for this key. It was never stored, was deleted, or has expired.`,
    { param },
  );

const tooLarge = (maxBytes: number, param: string): AppError => {
  const message = `The stored items that ${param} refers to have more than ${maxBytes} bytes. Send a shorter conversation in input.`;
  return new AppError("payload_too_large", message, { param });
};
