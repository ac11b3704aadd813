import type { DegradationCode, DegradedMode, Readiness } from "../../gateway/health/contract";
import type { Stack } from "./stack";

export const json = async <T>(response: Response | Promise<Response>): Promise<T> =>
  (await (await response).json()) as T;

export const degradedNow = async (stack: Stack): Promise<Readiness["degraded"]> =>
  (await json<Readiness>(stack.call("GET", "/readyz", { key: null }))).degraded;

/** Where clients, machines and people see the active modes. */
export const seenIn = async (stack: Stack) => {
  const readiness = await degradedNow(stack);
  const { headers } = await stack.call("GET", "/v1/auth/me");
  const metrics = await (await stack.call("GET", "/metrics")).text();
  const inMetrics = (name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}\\{code="(\\w+)"\\} 1$`, "gm"))].map(([, code = ""]) => code);
  const page = await (await fetch(`${stack.url}/sign-in`)).text();
  const { data } = await json<{ data: DegradedMode[] }>(stack.call("GET", "/v1/degraded"));
  return {
    header: headers.get("x-degraded")?.split(", ") ?? [],
    readiness: readiness.map(({ code }) => code),
    metrics: inMetrics("groundwire_degraded"),
    drills: inMetrics("groundwire_degraded_drill"),
    banner: [...page.matchAll(/<p data-code="(\w+)">/g)].map(([, code = ""]) => code),
    list: data.filter(({ active }) => active).map(({ code }) => code),
  };
};

export const everywhere = (codes: DegradationCode[], drills: string[] = codes) => ({
  ...{ header: codes, readiness: codes, metrics: codes, drills, banner: codes, list: codes },
});
