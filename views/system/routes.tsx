import { Elysia } from "elysia";
import type { Health } from "../../gateway/health/service";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Engine } from "../../gateway/ports/engine";
import { html, page } from "../ui/html";
import { SystemPage, SystemStatus } from "./page";

/** `/system`: what runs and how it does. */
export const systemRoutes = ({ engine, health }: { engine: Engine; health: Health }) => {
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
