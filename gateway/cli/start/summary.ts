import { paint } from "../../../lib/command";
import type { FirstRun } from "./first-run";

interface Summary {
  url: string;
  readyAfterMs: number;
  /** Undefined if an admin key already exists, or was written to `keyFile`. */
  firstRun?: FirstRun;
  /** File with the admin key, if the output is not a terminal. */
  keyFile?: string;
  logFolder: string;
}

const row = (label: string, value: string, note = "") =>
  `  ${paint("dim", label.padEnd(10))} ${value}${note && paint("dim", `  ${note}`)}`;

/** The message after a successful start. */
export const renderSummary = ({ url, readyAfterMs, firstRun, keyFile, logFolder }: Summary): string => {
  const signIn = firstRun
    ? [
        row("Sign in", paint("cyan", `${url}/sign-in?token=${firstRun.signInToken}`), "works once, for 15 minutes"),
        row("Admin key", paint("bold", firstRun.adminKey), "shown only now: keep it safe"),
      ]
    : [row("Sign in", "with a key, or with a link: bun run keys sign-in-link")];
  return [
    "",
    `  ${paint("bold", "Groundwire is ready")} ${paint("dim", `after ${(readyAfterMs / 1000).toFixed(1)} s`)}`,
    "",
    row("Open", paint("cyan", url)),
    ...signIn,
    ...(keyFile ? [row("Admin key", keyFile, "read it, keep it safe, delete the file")] : []),
    row("API", `${url}/v1`, `reference at ${url}/docs`),
    row("Logs", logFolder),
    "",
    "  Ask the model:",
    "",
    `    curl ${url}/v1/chat -H "authorization: Bearer ${firstRun?.adminKey ?? "$KEY"}" \\`,
    `      -H "content-type: application/json" \\`,
    `      -d '{"messages":[{"role":"user","content":"Name three colours."}],"max_tokens":64}'`,
    "",
    paint("dim", "  Ctrl+C stops it. `bun run doctor` checks this machine and says what to do."),
    "",
  ].join("\n");
};
