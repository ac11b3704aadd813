import { createClient } from "@libsql/client";
import { ADMIN_KEY, type Stack } from "../harness";

/** What the scripts share that break the database's disk: acknowledged writes, and the check that all are stored. */

export interface Write {
  status: number;
  /** Code of the error. */
  code: string | undefined;
  hasRetryAfter: boolean;
  /** Id of the run, if the write was acknowledged. */
  id: string | undefined;
}

/** Evaluates one answer, which stores a run, a sample, a result and scores. */
export const evaluate = async (stack: Stack, fillerBytes = 0): Promise<Write> => {
  const name = crypto.randomUUID();
  const sample = { input: name + "x".repeat(fillerBytes), references: [name], output: name };
  const response = await stack.fetch("/v1/evaluate", {
    body: { sample, name, evaluators: ["reference@1"] },
    signal: AbortSignal.timeout(20_000),
  });
  const body = (await response.json()) as { run?: { id: string }; error?: { code: string } };
  const hasRetryAfter = response.headers.has("retry-after");
  return {
    status: response.status,
    code: body.error?.code,
    hasRetryAfter,
    id: response.status === 201 ? body.run?.id : undefined,
  };
};

/** Refused as documented: 507 `storage_full`, or 503 `unavailable` with `retry-after`. */
export const isRefused = ({ status, code, hasRetryAfter }: Write): boolean =>
  (status === 507 && code === "storage_full") || (status === 503 && code !== undefined && hasRetryAfter);

/** Reason of the database in the gateway's readiness; undefined if it works. */
export const storeProblem = async (stack: Stack): Promise<string | undefined> => {
  const response = await fetch(`${stack.url}/readyz`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  const text = await response.text();
  return response.status === 200
    ? undefined
    : /"reason_code":"(disk_full|not_writable|not_responding)"/.exec(text)?.[1];
};

const TORN = `
  SELECT id FROM runs AS u WHERE NOT EXISTS (SELECT 1 FROM results WHERE run_id = u.id)
  UNION ALL SELECT id FROM results AS t WHERE NOT EXISTS (SELECT 1 FROM scores WHERE result_id = t.id)`;

export interface StoreCheck {
  lost: number;
  torn: number;
  integrity: string;
  brokenReferences: number;
}

/** Compares the database with the acknowledged runs. */
export const checkStore = async (path: string, acknowledged: readonly string[]): Promise<StoreCheck> => {
  const database = createClient({ url: `file:${path}` });
  const rows = async (sql: string) => (await database.execute(sql)).rows;
  try {
    const stored = new Set((await rows("SELECT id FROM runs")).map(({ id }) => String(id)));
    return {
      lost: acknowledged.filter((id) => !stored.has(id)).length,
      torn: (await rows(TORN)).length,
      integrity: String((await rows("PRAGMA integrity_check"))[0]?.[0]),
      brokenReferences: (await rows("PRAGMA foreign_key_check")).length,
    };
  } finally {
    database.close();
  }
};

export const isIntact = ({ lost, torn, integrity, brokenReferences }: StoreCheck): boolean =>
  lost === 0 && torn === 0 && integrity === "ok" && brokenReferences === 0;
