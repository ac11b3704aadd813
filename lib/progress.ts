/** Progress of one task. With the unit "MB", `done` and `total` are bytes; with any other, counts: "rows", "rounds". */
export interface Progress {
  task: string;
  done: number;
  total: number;
  unit: string;
}

/** The output for progress. A terminal gets a bar that is redrawn; other output gets a line now and then. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
/** Without a terminal: one line per tenth, and at least one per interval. */
const LINE_EVERY_MS = 30_000;
/** Byte rates average over seconds, to show stalls. Count rates average over minutes, because rows vary in duration. */
const BYTES_WINDOW_MS = 5000;
const COUNT_WINDOW_MS = 300_000;
const BAR_WIDTH = 24;

/** Draws the progress of successive tasks, with rate and time left. `now` is in milliseconds. */
export const drawProgress = (output: ProgressOutput, now: () => number = Date.now): ((progress: Progress) => void) => {
  let samples: { at: number; done: number }[] = [];
  let current = "";
  let drawnAt = Number.NEGATIVE_INFINITY;
  let lastTenth = -1;
  let wasDone = false;

  return (progress) => {
    const { task, done, total, unit } = progress;
    const at = now();
    if (task !== current) {
      current = task;
      samples = [];
      lastTenth = -1;
      wasDone = false;
    }
    if (wasDone) return; // callers may report the end of a task more than once
    const windowMs = unit === "MB" ? BYTES_WINDOW_MS : COUNT_WINDOW_MS;
    samples = [...samples.filter((sample) => at - sample.at <= windowMs), { at, done }];
    wasDone = done >= total;
    const fraction = total > 0 ? done / total : 1;
    const tenth = Math.floor(10 * fraction);
    const line = `${describe(progress, fraction)}${wasDone ? "" : rateText(progress, samples)}`;
    if (output.isTTY) {
      if (!wasDone && at - drawnAt < REDRAW_MS) return;
      drawnAt = at;
      const bar = "█".repeat(Math.round(BAR_WIDTH * fraction)).padEnd(BAR_WIDTH, "░");
      output.write(`${CLEAR}${`${bar} ${line}`.slice(0, (output.columns ?? 80) - 1)}${wasDone ? "\n" : ""}`);
    } else if (tenth > lastTenth || at - drawnAt >= LINE_EVERY_MS) {
      lastTenth = tenth;
      drawnAt = at;
      output.write(`${line}\n`);
    }
  };
};

const CLEAR = "\r\x1b[2K";

/** Draws the progress of one counted task. The default output is stderr, so that stdout stays clean. */
export const countProgress = (task: string, total: number, unit: string, output: ProgressOutput = process.stderr) => {
  const draw = drawProgress(output);
  let done = 0;
  draw({ task, done, total, unit });
  return {
    step: (): void => {
      done++;
      draw({ task, done, total, unit });
    },
    /** Clears the line; call it before other output is written to the terminal. */
    clear: (): void => void (output.isTTY && output.write(CLEAR)),
  };
};

const describe = ({ task, done, total, unit }: Progress, fraction: number): string => {
  const [part, whole] = unit === "MB" ? [megabytes(done), megabytes(total)] : [`${done}`, `${total}`];
  return `${String(Math.floor(100 * fraction)).padStart(3)}%  ${part} / ${whole} ${unit}  ${task}`;
};

const rateText = ({ done, total, unit }: Progress, samples: { at: number; done: number }[]): string => {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last.at === first.at || last.done <= first.done) return "";
  const perMs = (last.done - first.done) / (last.at - first.at);
  const rate = unit === "MB" ? `  ${megabytes(perMs * 1000)} MB/s` : "";
  return `${rate}  ${duration((total - done) / perMs)} left`;
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const duration = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
