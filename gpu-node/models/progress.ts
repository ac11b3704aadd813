/** `bytes` of `total` of one file, or of files that belong together; `step` says what is done with them. */
export interface DownloadProgress {
  file: string;
  step: "download" | "verify" | "convert";
  bytes: number;
  total: number;
}
export type OnProgress = (progress: DownloadProgress) => void;

/** Where progress is written: a terminal gets a bar that is redrawn, anything else a line for every tenth. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
/** The rate is the one of the last seconds, so that a stall shows. */
const RATE_WINDOW_MS = 5000;
const BAR_WIDTH = 24;

/** Draws what `ensureModel` reports. `now` is in milliseconds. */
export const drawProgress = (output: ProgressOutput, now: () => number = Date.now): OnProgress => {
  let samples: { at: number; bytes: number }[] = [];
  let current = "";
  let drawnAt = Number.NEGATIVE_INFINITY;
  let lastTenth = -1;
  let wasDone = false;

  return (progress) => {
    const at = now();
    const task = `${progress.step} ${progress.file}`;
    if (task !== current) {
      current = task;
      samples = [];
      lastTenth = -1;
      wasDone = false;
    }
    if (wasDone) return; // a finished bar stays as it is, however often its end is reported
    samples = [...samples.filter((sample) => at - sample.at <= RATE_WINDOW_MS), { at, bytes: progress.bytes }];
    const isDone = progress.bytes >= progress.total;
    wasDone = isDone;
    const tenth = Math.floor((10 * progress.bytes) / progress.total);
    const line = `${describe(progress)}${isDone ? "" : rateText(progress, samples)}`;
    if (output.isTTY) {
      if (!isDone && at - drawnAt < REDRAW_MS) return;
      drawnAt = at;
      const bar = "█".repeat(Math.round((BAR_WIDTH * progress.bytes) / progress.total)).padEnd(BAR_WIDTH, "░");
      output.write(`\r\x1b[2K${`${bar} ${line}`.slice(0, (output.columns ?? 80) - 1)}${isDone ? "\n" : ""}`);
    } else if (tenth > lastTenth) {
      lastTenth = tenth;
      output.write(`${line}\n`);
    }
  };
};

const WORDS = { download: "fetching", verify: "checking", convert: "converting" } as const;

const describe = ({ file, step, bytes, total }: DownloadProgress): string =>
  `${String(Math.floor((100 * bytes) / total)).padStart(3)}%  ${megabytes(bytes)} / ${megabytes(total)} MB  ` +
  `${WORDS[step]} ${file}`;

const rateText = ({ bytes, total }: DownloadProgress, samples: { at: number; bytes: number }[]): string => {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last.at === first.at || last.bytes <= first.bytes) return "";
  const bytesPerMs = (last.bytes - first.bytes) / (last.at - first.at);
  return `  ${megabytes(bytesPerMs * 1000)} MB/s  ${duration((total - bytes) / bytesPerMs)} left`;
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const duration = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};
