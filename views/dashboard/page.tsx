import type { Readiness } from "../../gateway/health/contract";
import type { Kpis } from "../../gateway/metrics/contract";
import { type Frame, may, Screen } from "../layout";
import { withQuery } from "../ui/lists";
import { ButtonLink, CopyButton, EmptyState, Tabs, Time } from "../ui/parts";
import { Cards, modelCalls } from "./cards";
import { Cost } from "./cost";
import { Quality } from "./quality";
import { Errors, Stages, Trends } from "./trends";
import { type DashboardWindow, WINDOWS } from "./windows";

interface DashboardProps extends Frame {
  kpis: Kpis;
  readiness: Readiness;
  window: DashboardWindow;
  /** Whether a model was ever called, in any window. */
  isUsed: boolean;
  /** Address of the gateway, for the example call. */
  origin: string;
}

export const DashboardPage = ({ kpis, readiness, window, isUsed, origin, ...frame }: DashboardProps) => (
  <Screen
    {...frame}
    title="Dashboard"
    kind="wide"
    scripts={["charts.js"]}
    refreshSeconds={60}
    actions={
      isUsed && (
        <Tabs
          label="Time span"
          tabs={WINDOWS.map(({ value, label }) => ({
            href: `/dashboard?window=${value}`,
            text: label,
            current: value === window.value ? "true" : undefined,
          }))}
        />
      )
    }
  >
    <Figures {...{ kpis, readiness, window, isUsed, origin }} {...frame} />
  </Screen>
);

/** The part that is polled. Updates morph it in place, which keeps focus, open tables and scroll position. */
export const Figures = ({ kpis, readiness, window, isUsed, origin, ...frame }: DashboardProps) => (
  <div
    id="figures"
    hx-get={`/dashboard/figures?window=${window.value}`}
    hx-trigger="every 30s"
    hx-swap="outerMorph"
    data-poll
  >
    <HealthBanner readiness={readiness} />
    {isUsed ? (
      <>
        {modelCalls(kpis) === 0 && <QuietWindow window={window} />}
        <Cards kpis={kpis} />
        <section>
          <h2 class="visually-hidden">Trends</h2>
          <Trends kpis={kpis} window={window} />
        </section>
        <Quality kpis={kpis} window={window} />
        <div class="pair">
          <Stages kpis={kpis} />
          <Errors kpis={kpis} window={window} />
        </div>
        <Cost cost={kpis.cost} {...frame} />
        <Downloads window={window} />
      </>
    ) : (
      <FirstUse mayAsk={may(frame, "member")} mayEdit={may(frame, "editor")} origin={origin} />
    )}
  </div>
);

const HEADLINES: Record<Readiness["status"], { text: string; look: string }> = {
  ok: { text: "Everything works", look: "good" },
  degraded: { text: "Working, with reduced capacity", look: "fair" },
  down: { text: "No answers can be generated right now", look: "bad" },
  draining: { text: "Shutting down: no new requests are accepted", look: "fair" },
};

const HealthBanner = ({ readiness: { status, version, started_at, degraded } }: { readiness: Readiness }) => {
  const { text, look } = HEADLINES[status];
  return (
    <div class={`headline ${look}`}>
      <p>{text}</p>
      <p class="fine">
        Version {version}, running since <Time at={started_at} />. <a href="/system">System</a>
      </p>
      {degraded.length > 0 && (
        <ul class="reduced">
          {degraded.map(({ code, reason, since }) => (
            <li>
              {reason} <code>{code}</code>, since <Time at={since} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
};

/** Shown if there is data, but none in this window. */
const QuietWindow = ({ window }: { window: DashboardWindow }) => {
  const longer = WINDOWS[WINDOWS.indexOf(window) + 1];
  return (
    <p class="quiet-window">
      No model calls in {window.words}.
      {longer && (
        <>
          {" "}
          <a href={`/dashboard?window=${longer.value}`}>Show {longer.words}</a>
        </>
      )}
    </p>
  );
};

/** The first calls to make on a new installation. */
const FirstUse = ({ mayAsk, mayEdit, origin }: { mayAsk: boolean; mayEdit: boolean; origin: string }) => {
  const call = [
    `curl ${origin}/v1/chat \\`,
    `  -H "authorization: Bearer $GROUNDWIRE_API_KEY" \\`,
    `  -H "content-type: application/json" \\`,
    `  -d '{"messages": [{"role": "user", "content": "Hello"}]}'`,
  ].join("\n");
  return (
    <>
      <EmptyState title="No data yet">
        <p>Traffic, latency, quality and costs appear here after the first model call.</p>
        {mayAsk && (
          <p class="empty-actions">
            <ButtonLink href="/chat" text="Ask a question" icon="chat" />
            {mayEdit && <ButtonLink href="/datasets" text="Add a dataset" icon="datasets" look="button secondary" />}
          </p>
        )}
      </EmptyState>
      {mayAsk && (
        <section>
          <h2>Call the API</h2>
          <div class="sample-call">
            <section class="scroll" tabindex={0} aria-label="Example call">
              <pre>
                <code>{call}</code>
              </pre>
            </section>
            <CopyButton text={call} label="Copy the call" />
          </div>
          <p class="hint">
            OpenAI’s SDKs work too, with the base URL <code>{origin}/v1</code>. <a href="/docs">API reference</a>
          </p>
        </section>
      )}
    </>
  );
};

const TABLES = [
  ["series", "Time series"],
  ["routes", "Routes"],
  ["nodes", "Nodes"],
  ["evaluations", "Evaluations"],
  ["cost", "Costs"],
] as const;

const Downloads = ({ window: { value, step } }: { window: DashboardWindow }) => {
  const span = { window: value, step };
  return (
    <section id="downloads">
      <h2>Download</h2>
      <ul class="downloads">
        <li>
          <a href={withQuery("/v1/metrics/export", span)} download>
            All metrics as JSON
          </a>
        </li>
        {TABLES.map(([table, name]) => (
          <li>
            <a href={withQuery("/v1/metrics/export", { ...span, format: "csv", table })} download>
              {name} as CSV
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
};
