import { ActiveRequests } from "../gateway/active-requests";
import { http } from "../gateway/http/plugin";
import { silentLog } from "../lib/log";
import { PRINCIPAL } from "./principal";

type HttpDeps = Parameters<typeof http>[0];

/** The hooks of all requests. By default, every caller is `PRINCIPAL`, without limits, and nothing is recorded. */
export const httpWith = (deps: Pick<HttpDeps, "routes"> & Partial<HttpDeps>) =>
  http({
    verifyKey: () => PRINCIPAL,
    verifyWorker: () => Promise.reject(new Error("There are no workers.")),
    verifySession: () => Promise.resolve(PRINCIPAL),
    reserve: () => ({ addHeaders() {}, release() {} }),
    recorder: { request: () => {}, generation: () => {} },
    requestLog: { add: () => {}, replace: () => {} },
    activeRequests: new ActiveRequests(),
    log: silentLog(),
    bodyLimits: { maxBytes: 10_000, maxUploadBytes: undefined },
    reduced: () => undefined,
    ...deps,
  });
