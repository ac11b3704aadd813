import type { DegradedMode } from "../../gateway/health/contract";
import { duration, Time } from "../ui/parts";

/** How long a drill can last, in minutes, as offered on the page. */
export const DRILL_MINUTES = ["5", "10", "30", "60"] as const;

/** Drills of the degraded modes, for admins. */
export const Drills = ({ modes }: { modes: readonly DegradedMode[] }) => (
  <section class="drills">
    <h2>Drills</h2>
    <p class="fine">
      A drill makes this gateway behave as if something had failed, so that you can see what users see and whether
      alerts work. It applies to this gateway only, ends by itself, and is recorded in the audit log.
    </p>
    <ul class="card drill-list">
      {modes.map((mode) => (
        <li>
          <div>
            <code>{mode.code}</code>
            <p class="fine">{mode.effect}</p>
            {mode.drill_note && <p class="fine">A drill reports this mode but changes nothing: {mode.drill_note}.</p>}
          </div>
          <p class="fine">
            <ModeState {...mode} />
          </p>
          <DrillForm {...mode} />
        </li>
      ))}
    </ul>
  </section>
);

const ModeState = ({ active, drill, drill_ends_at, since }: DegradedMode) => {
  if (drill && drill_ends_at !== null) {
    const leftMs = Math.max(0, new Date(drill_ends_at).getTime() - Date.now());
    return <span class="state fair">drill, ends in {duration(leftMs)}</span>;
  }
  if (!active || since === null) return <>not active</>;
  return (
    <>
      <span class="state bad">active</span> since <Time at={since} />
    </>
  );
};

const DrillForm = ({ code, drill }: DegradedMode) => (
  <form class="drill" method="post" action="/system/drills">
    <input type="hidden" name="code" value={code} />
    {drill ? (
      <button type="submit" class="secondary" name="action" value="end" aria-label={`End drill of ${code}`}>
        End drill
      </button>
    ) : (
      <>
        <select name="minutes" aria-label={`Length of the drill of ${code}`}>
          {DRILL_MINUTES.map((minutes) => (
            <option value={minutes} selected={minutes === "10"}>
              {minutes} min
            </option>
          ))}
        </select>
        <button type="submit" class="secondary" name="action" value="start" aria-label={`Start drill of ${code}`}>
          Start drill
        </button>
      </>
    )}
  </form>
);
