import { existsSync } from "node:fs";

const firstOf = (names: readonly string[], paths: readonly string[]): string | undefined => {
  for (const name of names) {
    const found = Bun.which(name);
    if (found) return found;
  }
  return paths.find((path) => existsSync(path));
};

/** Path of the Redis server; undefined if it is not installed. */
export const findRedis = (): string | undefined => firstOf(["redis-server", "valkey-server"], []);

/** Path of Chromium or Chrome; undefined if neither is installed. */
export const findChromium = (): string | undefined =>
  firstOf(
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    [
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
  );
