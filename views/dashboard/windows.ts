/** Windows of the dashboard, and the time per point. Values of `?window=`. */
export const WINDOWS = [
  { value: "1h", label: "1 hour", words: "the last hour", step: "1m" },
  { value: "24h", label: "24 hours", words: "the last 24 hours", step: "30m" },
  { value: "7d", label: "7 days", words: "the last 7 days", step: "4h" },
  { value: "30d", label: "30 days", words: "the last 30 days", step: "1d" },
  { value: "90d", label: "90 days", words: "the last 90 days", step: "1d" },
] as const;
export type DashboardWindow = (typeof WINDOWS)[number];

const [, DAY] = WINDOWS;

/** The window of a query string; a day for anything else. */
export const windowOf = (value: string | undefined): DashboardWindow =>
  WINDOWS.find((window) => window.value === value) ?? DAY;
