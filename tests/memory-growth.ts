import { residentMib } from "../bench/processes";

const LOOK_MS = 10;

/** Watches the memory of processes. Calling the result stops watching and returns each process's peak in MiB. */
export const watchPeaks = (pids: readonly number[]): (() => number[]) => {
  const peaks = pids.map(residentMib);
  const look = () => {
    for (const [index, pid] of pids.entries()) peaks[index] = Math.max(peaks[index] ?? 0, residentMib(pid));
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    look();
    return peaks;
  };
};

/** Like `watchPeaks`, but the result returns each process's peak growth since the start, in MiB. */
export const watchGrowth = (pids: readonly number[]): (() => number[]) => {
  const before = pids.map(residentMib);
  const peaks = watchPeaks(pids);
  return () => peaks().map((mib, index) => mib - (before[index] ?? 0));
};
