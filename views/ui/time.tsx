/** An ISO 8601 time. Rendered in UTC; app.js shows the reader's time zone and keeps UTC as the title. */
export const Time = ({ at }: { at: string }) => {
  const utc = `${at.slice(0, 16).replace("T", " ")} UTC`;
  return (
    <time datetime={at} title={utc}>
      {utc}
    </time>
  );
};

/** "840 ms", "2.4 s", "3 min 5 s". */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
};

/** "2,140". */
export const number = (n: number): string => n.toLocaleString("en");

/** "1 word", "2,140 words". */
export const count = (n: number, noun: string): string => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
