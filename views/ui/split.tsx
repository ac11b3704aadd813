import { latency } from "./quantities";

const WIDTH = 600;

/** A part of a whole duration. `look` is the number of its colour. */
export interface Stage {
  name: string;
  ms: number;
  look: 1 | 2 | 3 | 4 | 5;
}

/** A bar that is split into stages by their duration, with a legend that names each with its time. */
export const Split = ({ stages, totalMs }: { stages: readonly Stage[]; totalMs: number }) => {
  let from = 0;
  return (
    <>
      <svg class="split" viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" aria-hidden="true">
        {stages.map(({ ms, look }) => {
          const width = totalMs > 0 ? (ms / totalMs) * WIDTH : 0;
          from += width;
          return <rect class={`look-${look}`} x={from - width} width={width} height="12" />;
        })}
      </svg>
      <ul class="legend split-legend">
        {stages.map(({ name, ms, look }) => (
          <li class={`look-${look}`}>
            <span>{name}</span> <span>{latency(ms)}</span>
          </li>
        ))}
      </ul>
    </>
  );
};
