import { drawProgress, type ProgressOutput } from "../../lib/progress";

/** `bytes` of `total` of one file, or of files that belong together; `step` says what is done with them. */
export interface DownloadProgress {
  file: string;
  step: "download" | "verify" | "convert";
  bytes: number;
  total: number;
}
export type OnProgress = (progress: DownloadProgress) => void;

const WORDS = { download: "fetching", verify: "checking", convert: "converting" } as const;

/** Draws what `ensureModel` reports. */
export const drawDownload = (output: ProgressOutput): OnProgress => {
  const draw = drawProgress(output);
  return ({ file, step, bytes, total }) => draw({ task: `${WORDS[step]} ${file}`, done: bytes, total, unit: "MB" });
};
