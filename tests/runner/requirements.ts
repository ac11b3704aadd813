import { findChromium, findRedis } from "../programs";
import type { Requirement } from "./groups";

interface Installer {
  /** The package manager's executable. */
  program: string;
  /** Names of the package, in order of preference. Some versions of a system don't have the first one. */
  packages: Record<Requirement, readonly string[]>;
  commands(name: string): string[][];
}

const root = process.getuid?.() === 0;
const asRoot = (...command: string[]) => (root ? command : ["sudo", "--non-interactive", ...command]);

const INSTALLERS: readonly Installer[] = [
  {
    program: "apt-get",
    // The headless shell is the same browser engine without a desktop window. It makes the browser tests about a sixth faster.
    packages: { redis: ["redis-server"], chromium: ["chromium-headless-shell", "chromium"] },
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
    packages: { redis: ["redis"], chromium: ["chromium"] },
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

  let problem: string | undefined;
  for (const name of installer.packages[requirement]) {
    problem = await install(installer, name);
    if (problem === undefined) return find() ? undefined : `${name} was installed, but its program was not found`;
  }
  return problem;
};

/** Resolves with undefined, or with the failed command and its error. */
const install = async ({ program, commands }: Installer, name: string): Promise<string | undefined> => {
  console.log(`Installing ${name} with ${program} …`);
  for (const command of commands(name)) {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const [errors, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
    if (exitCode !== 0) return `${command.join(" ")} failed: ${errors.trim().split("\n").at(-1)}`;
  }
  return undefined;
};
