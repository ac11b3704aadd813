import { Elysia } from "elysia";
import type { Readiness } from "../../gateway/health/contract";
import { allows } from "../../gateway/http/route-facts";
import type { NodeView } from "../../gateway/ports/engine";
import type { Services } from "../../gateway/services";
import { frameOf, Screen } from "../layout";
import { html, page } from "../ui/html";
import { Table } from "../ui/lists";
import { duration, EmptyState, Fact, Time } from "../ui/parts";

interface SystemState {
  readiness: Readiness;
  nodes: readonly NodeView[];
}

/** `/system`: nodes and dependencies. The part below the title is refreshed every five seconds while it is visible. */
export const systemRoutes = ({ engine, health }: Pick<Services, "engine" | "health">) => {
  const status = async () => <SystemStatus readiness={await health.readiness()} nodes={engine.nodes()} />;
  return new Elysia({ name: "views.system", prefix: "/system" })
    .guard({ detail: allows("viewer") })
    .get("", async ({ request }) =>
      page(
        <Screen {...frameOf(request)} title="System">
          {await status()}
        </Screen>,
      ),
    )
    .get("/status", async () => html(await status()));
};

const HEADLINES: Record<Readiness["status"], string> = {
  ok: "Everything works",
  degraded: "Working, with reduced capacity",
  down: "No answers can be generated right now",
  draining: "Shutting down: no new requests are accepted",
};

/** The part that is polled. Updates morph it in place, which keeps focus, selection and scroll position. */
const SystemStatus = ({ readiness, nodes }: SystemState) => (
  <div id="system" hx-get="/system/status" hx-trigger="every 5s" hx-swap="outerMorph" data-poll>
    <div class={`headline ${toneOf(readiness.status)}`}>
      <p>{HEADLINES[readiness.status]}</p>
      <p class="fine">
        Version {readiness.version}, running since <Time at={readiness.started_at} />
      </p>
      {readiness.degraded.length > 0 && (
        <ul class="reduced">
          {readiness.degraded.map(({ code, reason, since }) => (
            <li>
              {reason} <code>{code}</code>, since <Time at={since} />
            </li>
          ))}
        </ul>
      )}
    </div>
    <section>
      <h2>GPU nodes</h2>
      {nodes.length === 0 ? (
        <EmptyState title="No nodes are configured">
          <p>Set GROUNDWIRE_NODES to the address of a GPU node and restart the gateway.</p>
        </EmptyState>
      ) : (
        <ul class="nodes">
          {nodes.map((node) => (
            <NodeCard node={node} />
          ))}
        </ul>
      )}
    </section>
    <section>
      <h2>Dependencies</h2>
      <Table
        caption="Dependencies"
        rows={readiness.dependencies}
        columns={[
          { name: "Name", cell: ({ name }) => name },
          {
            name: "State",
            cell: ({ status }) => <span class={`state ${toneOf(status)}`}>{status.replace("_", " ")}</span>,
          },
          {
            name: "Latency",
            isNumeric: true,
            cell: ({ latency_ms }) => (latency_ms === null ? "" : `${latency_ms.toFixed(1)} ms`),
          },
          { name: "Since", cell: ({ since }) => <Time at={since} /> },
          { name: "Reason", cell: ({ reason }) => reason ?? "" },
        ]}
      />
    </section>
  </div>
);

const toneOf = (status: string): "good" | "fair" | "bad" | "" => {
  if (status === "not_configured") return "";
  if (status === "ok" || status === "ready") return "good";
  return ["degraded", "busy", "loading", "draining"].includes(status) ? "fair" : "bad";
};

const NodeCard = ({ node: { id, state, since, outstanding, readiness, lastError } }: { node: NodeView }) => {
  // The last report of an unreachable node is out of date.
  const isAnswering = readiness && state !== "down" && state !== "ejected";
  return (
    <li class="card node">
      <div class="node-head">
        <h3>{id}</h3>
        <span class={`state ${toneOf(state)}`}>{state}</span>
      </div>
      {readiness?.synthetic && <p class="tag">Synthetic engine: it generates test data without a model</p>}
      {state === "loading" && readiness && <Load share={readiness.progress ?? 0} />}
      <dl class="node-facts">
        {isAnswering && <SlotFact running={readiness.slots.running} total={readiness.slots.total} />}
        {isAnswering && <Fact name="Waiting">{`${readiness.queue.depth} of ${readiness.queue.capacity}`}</Fact>}
        {isAnswering && readiness.embeddings && <Fact name="Embedding">{embeddingFact(readiness.embeddings)}</Fact>}
        {isAnswering && <Fact name="Active requests from this gateway">{String(outstanding)}</Fact>}
        {readiness && <Fact name="Engine">{readiness.engine}</Fact>}
        {readiness?.models.map((model) => (
          <Fact name="Model">
            {`${model.id} @ ${model.revision}, ${model.context_window.toLocaleString("en")} tokens`}
          </Fact>
        ))}
        {state !== "ready" && (
          <Fact name="In this state for">{duration(Math.max(0, Date.now() - since.getTime()))}</Fact>
        )}
      </dl>
      {state !== "ready" && lastError && <p class="field-problem">{lastError}</p>}
    </li>
  );
};

const embeddingFact = ({ slots, queue }: NonNullable<NonNullable<NodeView["readiness"]>["embeddings"]>): string =>
  `${slots.running} of ${slots.total} in use, ${queue.depth} waiting`;

const Load = ({ share }: { share: number }) => (
  <p>
    <label>
      Loading the model: {Math.round(share * 100)} % <progress value={share} max={1}></progress>
    </label>
  </p>
);

const SlotFact = ({ running, total }: { running: number; total: number }) => (
  <div>
    <dt>Slots</dt>
    <dd class="unbroken">
      <meter min={0} max={total} value={running} aria-label="Slots in use"></meter>{" "}
      <span>
        {running} of {total} in use
      </span>
    </dd>
  </div>
);
