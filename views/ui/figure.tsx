import type { Child } from "hono/jsx";
import { Sparkline } from "./chart";

interface FigureProps {
  name: string;
  value: Child;
  note: Child;
  /** The list or chart behind the figure. */
  href?: string;
  /** One value per step. */
  trend?: readonly (number | null)[];
  look?: "bad";
}

/** A key figure with its trend, in a list with the class `kpis`. With `href`, the whole card is a link. */
export const Figure = ({ href, name, value, note, trend, look }: FigureProps) => {
  const content = (
    <>
      <span class="kpi-name">{name}</span>
      <strong class={look === undefined ? undefined : `kpi-${look}`}>{value}</strong>
      <span class="fine">{note}</span>
      {trend?.some((one) => one !== null && one > 0) && (
        <Sparkline values={trend} look={look ?? 1} kind={trend.includes(null) ? "lines" : "area"} />
      )}
    </>
  );
  return (
    <li>
      {href === undefined ? (
        <div class="card kpi">{content}</div>
      ) : (
        <a class="card kpi" href={href}>
          {content}
        </a>
      )}
    </li>
  );
};
