import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type { Audit } from "../audit/service";
import { PathId, wholePage } from "../contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { allows, fails, runsLong } from "../http/route-facts";
import { capabilitiesOf } from "../models/capabilities";
import type { Engine, ModelCheck, NodeView } from "../ports/engine";
import type { Principal } from "../principal";
import { AddNode, Node, NodeCheck, NodePage } from "./contract";

/** The GPU nodes as this gateway sees them. */
export const nodeRoutes = ({ engine, audit }: { engine: Engine; audit: Audit }) => {
  const find = (id: string): NodeView => {
    const view = engine.nodes().find((node) => node.id === id);
    if (!view) throw new AppError("not_found", `Node "${id}" not found. GET /v1/nodes lists them.`, { param: "id" });
    return view;
  };
  const setDrained = async (principal: Principal, id: string, isDrained: boolean): Promise<Node> => {
    const isChanged = find(id).isDrained !== isDrained;
    engine.drain(id, isDrained);
    if (isChanged) await audit.record(principal, isDrained ? "node.drain" : "node.undrain", id);
    return toNode(find(id));
  };

  return new Elysia({ name: "nodes.routes", prefix: "/v1/nodes", tags: ["Nodes"] })
    .use(auth)
    .get("", () => wholePage(engine.nodes().map(toNode)), {
      response: { 200: NodePage },
      detail: { ...allows("viewer"), summary: "List the GPU nodes and their state" },
    })
    .post("", notImplemented("POST /v1/nodes"), {
      body: AddNode,
      response: { 201: Node },
      detail: { ...allows("admin"), summary: "Add a node while the gateway is running", ...fails(409) },
    })
    .get("/:id", ({ params }) => toNode(find(params.id)), {
      params: PathId,
      response: { 200: Node },
      detail: { ...allows("viewer"), summary: "Read one node" },
    })
    .post("/:id/check", async ({ params }) => toCheck(await engine.check(find(params.id).id)), {
      params: PathId,
      response: { 200: NodeCheck },
      detail: {
        ...allows("admin"),
        ...runsLong,
        summary:
          "Send each model of a node a real request for one token, embedding or ranking; for people, not for probes",
      },
    })
    .post("/:id/drain", ({ principal, params }) => setDrained(principal, params.id, true), {
      params: PathId,
      response: { 200: Node },
      detail: { ...allows("admin"), summary: "Drain a node: it gets no new requests, and active ones finish" },
    })
    .post("/:id/undrain", ({ principal, params }) => setDrained(principal, params.id, false), {
      params: PathId,
      response: { 200: Node },
      detail: { ...allows("admin"), summary: "Put a drained node back into service" },
    });
};

const toCheck = (checks: ModelCheck[]): NodeCheck => ({
  ok: checks.length > 0 && checks.every(({ error }) => error === undefined),
  models: checks.map(({ model, latencyMs, error }) => ({
    model,
    ok: error === undefined,
    latency_ms: round(latencyMs, 2),
    error: error ? { code: error.kind, message: error.message } : null,
  })),
});

const toNode = (view: NodeView): Node => {
  const { readiness } = view;
  return {
    id: view.id,
    url: view.url,
    state: view.state,
    since: view.since.toISOString(),
    drained: view.isDrained,
    outstanding: view.outstanding,
    latency_ms: view.latencyMs ?? null,
    engine: readiness?.engine ?? null,
    synthetic: readiness?.synthetic ?? false,
    version: readiness?.version ?? null,
    progress: readiness?.progress ?? null,
    models: (readiness?.models ?? []).map((model) => ({
      ...model,
      dimensions: model.dimensions ?? null,
      prefixes: model.prefixes ?? null,
      sampling: model.sampling ?? null,
      capabilities: capabilitiesOf(model),
    })),
    slots: readiness?.slots ?? null,
    queue: readiness?.queue ?? null,
    embeddings: readiness?.embeddings ?? null,
    last_token_ms: readiness?.last_token_ms ?? null,
    machine: readiness?.machine ? { ...readiness.machine, gpu: readiness.machine.gpu ?? null } : null,
    last_error: view.lastError ?? null,
  };
};
