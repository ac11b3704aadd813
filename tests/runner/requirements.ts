import { findChromium, findRedis } from "../programs";
import type { Requirement } from "./groups";

interface Installer {
  /** The package manager's executable. */
  program: string;
  packages: Record<Requirement, string>;
  commands(name: string): string[][];
}

const root = process.getuid?.() === 0;
const asRoot = (...command: string[]) => (root ? command : ["sudo", "--non-interactive", ...command]);

const INSTALLERS: readonly Installer[] = [
  {
    program: "apt-get",
    packages: { redis: "redis-server", chromium: "chromium" },
    commands: (name) => [
      asRoot("apt-get", "update", "-qq"),
      asRoot(
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        name,
      ),
    ],
  },
  {
    program: "brew",
    packages: { redis: "redis", chromium: "chromium" },
    commands: (name) => [["brew", "install", "--quiet", name]],
  },
];

const FINDERS: Record<Requirement, () => string | undefined> = { redis: findRedis, chromium: findChromium };

/**
 * Installs a missing program with the system's package manager. Resolves with undefined, or with the reason why it is
 * still missing.
 */
export const provide = async (requirement: Requirement): Promise<string | undefined> => {
  const find = FINDERS[requirement];
  if (find()) return undefined;
  const installer = INSTALLERS.find(({ program }) => Bun.which(program));
  if (!installer) return `${requirement} is not installed, and this system has no supported package manager`;

  const name = installer.packages[requirement];
  console.log(`Installing ${name} with ${installer.program} …`);
  for (const command of installer.commands(name)) {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const [errors, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
    if (exitCode !== 0) return `${command.join(" ")} failed: ${errors.trim().split("\n").at(-1)}`;
  }
  return find() ? undefined : `${name} was installed, but its program was not found`;
};
