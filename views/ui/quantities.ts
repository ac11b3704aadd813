const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** "840", "12.4K", "3.1M". */
export const compact = (value: number): string => COMPACT.format(value);

/** "12 %", "0.4 %". Never rounds a small share to 0 or a large one to 100. */
export const percent = (share: number): string => {
  const value = share * 100;
  if (value > 0 && value < 0.1) return "under 0.1 %";
  if (value > 99.9 && value < 100) return "over 99.9 %";
  return `${value.toFixed(value === 0 || value >= 10 ? 0 : 1)} %`;
};

/** "$12.40", "€0.0031". */
export const money = (amount: number, currency: string): string =>
  new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    ...(amount !== 0 && amount < 0.1 && { maximumSignificantDigits: 2 }),
  }).format(amount);

/** "850 ms", "42 s", "3.5 min", "2.1 h", "3.2 days". */
export const timeSpan = (seconds: number): string => {
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${short(seconds)} s`;
  if (seconds < 3600) return `${short(seconds / 60)} min`;
  if (seconds < 172_800) return `${short(seconds / 3600)} h`;
  return `${short(seconds / 86_400)} days`;
};

/** "just now", "5 min ago", "3 h ago", "12 days ago". */
export const ago = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / 1440).toLocaleString("en")} days ago`;
};

const short = (value: number): string => (value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value)));

/** "118 ms", "2.4 s" for a latency in milliseconds. */
export const latency = (ms: number): string => {
  if (ms === 0) return "0 ms";
  return ms < 1000 ? `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms` : `${short(ms / 1000)} s`;
};
