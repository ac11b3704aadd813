import { Elysia } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { html, page } from "../ui/html";
import { SystemPage, SystemStatus } from "./page";

/** `/system`: the state of the gateway, its nodes and dependencies. */
export const systemRoutes = ({ engine, health }: Pick<Services, "engine" | "health">) => {
  const state = async () => ({ readiness: await health.readiness(), nodes: engine.nodes() });
  return new Elysia({ name: "views.system", prefix: "/system" })
    .get(
      "",
      async ({ request }) =>
        page(<SystemPage request={request} principal={principalOf(request)} state={await state()} />),
      { detail: allows("viewer") },
    )
    .get("/status", async () => html(<SystemStatus {...(await state())} />), { detail: allows("viewer") });
};
