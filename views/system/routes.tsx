import { Elysia, t } from "elysia";
import { DEGRADATION_CODES, type Readiness } from "../../gateway/health/contract";
import { principalOf } from "../../gateway/http/auth";
import { download } from "../../gateway/http/download";
import { allows } from "../../gateway/http/route-facts";
import type { Kpis } from "../../gateway/metrics/contract";
import type { NodeView } from "../../gateway/ports/engine";
import type { Services } from "../../gateway/services";
import { createSbom } from "../../gateway/software/sbom";
import { version } from "../../package.json";
import { frameOf, may, Screen } from "../layout";
import { capabilityText } from "../ui/capabilities";
import { Sparkline } from "../ui/chart";
import { Fields } from "../ui/fields";
import { Figure } from "../ui/figure";
import { html, page, redirect } from "../ui/html";
import { Table } from "../ui/lists";
import { count, duration, EmptyState, Fact, number, rejectedText, Time } from "../ui/parts";
import { compact, latency, percent } from "../ui/quantities";
import { DRILL_MINUTES, Drills } from "./drills";

interface SystemState {
  readiness: Readiness;
  nodes: readonly NodeView[];
  /** Metrics of the last hour, per minute. */
  kpis: Kpis;
}

/**
 * `/system`: nodes and dependencies, and `/system/sbom`: the packages that this version ships with. The part below the
 * title is refreshed every five seconds while it is visible.
 */
export const systemRoutes = ({ engine, health, metrics }: Pick<Services, "engine" | "health" | "metrics">) => {
  const status = async () => {
    const kpis = await metrics.kpis({ window: "1h", step: "1m" });
    return <SystemStatus readiness={await health.readiness()} nodes={engine.nodes()} kpis={kpis} />;
  };
  let sbom: string | undefined;
  return new Elysia({ name: "views.system", prefix: "/system" })
    .guard({ detail: allows("viewer") })
    .get(
      "",
      async ({ request, query }) => {
        const frame = frameOf(request);
        const code = DEGRADATION_CODES.find((each) => each === query.drill);
        const notice = code && query.done ? `Drill of ${code} ${query.done}.` : "";
        return page(
          <Screen {...frame} title="System" notice={notice}>
            {await status()}
            {may(frame, "admin") && <Drills modes={health.degradations.modes()} />}
          </Screen>,
        );
      },
      { query: Fields({ drill: t.Optional(t.String()), done: t.Optional(choice(["started", "ended"])) }) },
    )
    .get("/status", async () => html(await status()))
    .post(
      "/drills",
      async ({ request, body: { code, action, minutes = "10" } }) => {
        const principal = principalOf(request);
        const { degradations } = health;
        if (action === "end") await degradations.endDrill(principal, code);
        else await degradations.startDrill(principal, code, { minutes: Number(minutes) });
        const query = new URLSearchParams({ drill: code, done: action === "end" ? "ended" : "started" });
        return redirect(request, `/system?${query}`);
      },
      {
        body: Fields({
          code: choice(DEGRADATION_CODES),
          action: choice(["start", "end"]),
          minutes: t.Optional(choice(DRILL_MINUTES)),
        }),
        detail: allows("admin"),
      },
    )
    .get("/sbom", () => {
      sbom ??= JSON.stringify(createSbom(), null, 2);
      const mediaType = "application/vnd.cyclonedx+json";
      return download({ name: `groundwire-${version}.cdx.json`, mediaType, content: sbom });
    });
};

const choice = <const T extends readonly string[]>(words: T) =>
  t.Union(words.map((word: T[number]) => t.Literal(word)));

const HEADLINES: Record<Readiness["status"], string> = {
  ok: "Everything works",
  degraded: "Working, with reduced capacity",
  down: "No answers can be generated right now",
  draining: "Shutting down: no new requests are accepted",
};

/** The part that is polled. Updates morph it in place, which keeps focus, selection and scroll position. */
const SystemStatus = ({ readiness, nodes, kpis }: SystemState) => (
  <div id="system" hx-get="/system/status" hx-trigger="every 5s" hx-swap="outerMorph" data-poll>
    <div class={`headline ${toneOf(readiness.status)}`}>
      <p>{HEADLINES[readiness.status]}</p>
      <p class="fine">
        Version {readiness.version}, running since <Time at={readiness.started_at} /> ·{" "}
        <a href="/system/sbom" download>
          Software bill of materials
        </a>
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
    <LastHour kpis={kpis} />
    <section id="nodes">
      <h2>GPU nodes</h2>
      {nodes.length === 0 ? (
        <EmptyState title="No nodes are configured">
          <p>Set GROUNDWIRE_NODES to the address of a GPU node and restart the gateway.</p>
        </EmptyState>
      ) : (
        <ul class="nodes">
          {nodes.map((node) => (
            <NodeCard node={node} kpis={kpis} />
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

/** Figures of the last hour, with a sparkline per minute. */
const LastHour = ({ kpis: { series, totals, stages, now, step_seconds } }: Pick<SystemState, "kpis">) => {
  const tokens = series.map(({ completion_tokens }) => completion_tokens / step_seconds);
  const waiting = series.map(({ nodes }) =>
    nodes.length === 0 ? null : nodes.reduce((sum, node) => sum + node.max_queue_depth, 0),
  );
  return (
    <section>
      <h2>Last hour</h2>
      <ul class="kpis">
        <Figure
          name="Tokens per second"
          value={compact(tokens.at(-2) ?? 0)}
          note={`Last full minute; peak ${compact(Math.max(...tokens))}`}
          trend={tokens}
        />
        <Figure
          name="Time to first token"
          value={stages.ttft.p50 === null ? "–" : latency(stages.ttft.p50)}
          note={stages.ttft.p95 === null ? "No calls" : `Median; 95 % within ${latency(stages.ttft.p95)}`}
          trend={series.map(({ ttft_ms }) => ttft_ms.p50)}
        />
        <Figure
          name="Waiting requests"
          value={number(now.queue_depth)}
          note={`Peak ${number(Math.max(0, ...waiting.map((depth) => depth ?? 0)))}`}
          trend={waiting}
        />
        <Figure
          href="/requests?status=failed&span=1h"
          name="Error rate"
          value={percent(totals.error_rate)}
          note={`${count(totals.server_errors, "error")} in ${count(totals.requests, "request")}${rejectedText(totals)}`}
          trend={series.map(({ requests, server_errors }) => (requests === 0 ? null : server_errors / requests))}
          look={totals.server_errors > 0 ? "bad" : undefined}
        />
      </ul>
    </section>
  );
};

/** "5.2 of 24 GiB". */
const memoryText = ({ used_bytes, total_bytes }: { used_bytes: number; total_bytes: number }): string => {
  const gib = (bytes: number) => Math.round((bytes / 2 ** 30) * 10) / 10;
  return `${gib(used_bytes)} of ${gib(total_bytes)} GiB in use`;
};

interface NodeCardProps extends Pick<SystemState, "kpis"> {
  node: NodeView;
}

const NodeCard = ({ node: { id, state, since, outstanding, readiness, lastError }, kpis }: NodeCardProps) => {
  const history = kpis.series.map(({ nodes }) => nodes.find(({ node }) => node === id));
  const machine = readiness?.machine;
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
        {machine && <Fact name="Processor">{`${machine.cpu}, ${count(machine.cores, "core")}`}</Fact>}
        {isAnswering && machine && <MemoryFact name="Memory" {...machine.memory} />}
        {machine?.gpu && <Fact name="GPU">{machine.gpu.names.join(", ")}</Fact>}
        {isAnswering && machine?.gpu && <MemoryFact name="GPU memory" {...machine.gpu.memory} />}
        {readiness && <Fact name="Engine">{readiness.engine}</Fact>}
        {readiness?.models.map((model) => (
          <Fact name="Model">
            {`${model.id} @ ${model.revision}, ${model.context_window.toLocaleString("en")} tokens`}
            {capabilityText(model.capabilities) && <p class="fine">{capabilityText(model.capabilities)}</p>}
          </Fact>
        ))}
        {state !== "ready" && (
          <Fact name="In this state for">{duration(Math.max(0, Date.now() - since.getTime()))}</Fact>
        )}
      </dl>
      {state !== "ready" && lastError && <p class="field-problem">{lastError}</p>}
      {history.some((use) => use !== undefined && use.running > 0) && (
        <figure class="node-history">
          <figcaption class="fine">Slots in use, last hour</figcaption>
          <Sparkline values={history.map((use) => use?.running ?? null)} kind="lines" />
        </figure>
      )}
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

const MemoryFact = ({ name, ...memory }: { name: string; used_bytes: number; total_bytes: number }) => (
  <div>
    <dt>{name}</dt>
    <dd class="unbroken">
      <meter min={0} max={memory.total_bytes} value={memory.used_bytes} aria-label={`${name} in use`}></meter>{" "}
      <span>{memoryText(memory)}</span>
    </dd>
  </div>
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
