import { TOML } from "bun";
import { readLockfile } from "../../software/lockfile";
import { createSbom } from "../../software/sbom";
import { type Finding, failed, passed } from "../doctor/check";

type Names = Record<string, string>;

/** The parts of package.json that decide what is installed. */
export interface Manifest {
  dependencies?: Names;
  devDependencies?: Names;
  overrides?: Names;
  trustedDependencies?: string[];
}

const WEEK_SECONDS = 7 * 86_400;
/** Packages that may be younger: the types of the pinned runtime, which are released with it and contain no code. */
const MAY_BE_YOUNGER: readonly string[] = ["@types/bun", "bun-types"];
/** Packages that may run code when they are installed, with the reason. At most three. */
const MAY_RUN_SCRIPTS: Readonly<Record<string, string>> = {};

/** `1.2.3`, also of another package (`npm:typescript@5.9.3`), or a folder of the project. */
const EXACT = /^(?:npm:(?:@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(?:-[\w.-]+)?$|^file:\.\//;

const lines = (problems: string[]): string => problems.slice(0, 5).join("; ") + (problems.length > 5 ? "; …" : "");

/** Every version is exact, and bun.lock was made from this package.json. */
export const checkPins = (manifest: Manifest, lockText: string): Finding => {
  const lock = Bun.JSONC.parse(lockText) as { workspaces: { "": Manifest }; overrides?: Names };
  const locked = { ...lock.workspaces[""], overrides: lock.overrides };
  const problems: string[] = [];
  let count = 0;
  for (const field of ["dependencies", "devDependencies", "overrides"] as const) {
    const [wanted = {}, found = {}] = [manifest[field], locked[field]];
    for (const [name, version] of Object.entries(wanted)) {
      count += 1;
      if (!EXACT.test(version)) problems.push(`${name} is "${version}", not an exact version`);
      if (found[name] !== version)
        problems.push(`${name} is ${version} in package.json, ${found[name] ?? "missing"} in bun.lock`);
    }
    for (const name of Object.keys(found)) if (!wanted[name]) problems.push(`${name} is only in bun.lock`);
  }
  if (problems.length > 0) return failed(lines(problems), "Pin exact versions, then run: bun install");
  return passed(`${count} exact versions, the same in package.json and bun.lock`);
};

/** Every package has the hash of its archive, and no address of a registry. */
export const checkHashes = (manifest: Manifest, lockText: string): Finding => {
  const { packages } = readLockfile(lockText, manifest);
  const problems = [...packages.values()].flatMap(({ path, integrity }) =>
    /^sha512-[\w+/]{86}==$/.test(integrity) ? [] : [`${path} has no sha512`],
  );
  const [address] = /https?:\/\/[^"\s]+/.exec(lockText) ?? [];
  if (address) problems.push(`bun.lock contains the address ${address}`);
  if (problems.length > 0) return failed(lines(problems), "Restore bun.lock, then run: bun install");
  return passed(`${packages.size} packages with SHA-512`);
};

/** Bun installs no release that is younger than a week. */
export const checkAge = (bunfig: string): Finding => {
  const { install = {} } = TOML.parse(bunfig) as {
    install?: { minimumReleaseAge?: number; minimumReleaseAgeExcludes?: string[] };
  };
  const { minimumReleaseAge: seconds = 0, minimumReleaseAgeExcludes: excluded = [] } = install;
  const unknown = excluded.filter((name) => !MAY_BE_YOUNGER.includes(name));
  if (seconds < WEEK_SECONDS) return failed(`minimumReleaseAge is ${seconds} s`, "Set it to 604800 in bunfig.toml.");
  if (unknown.length > 0)
    return failed(`${unknown.join(", ")}: excluded without a review`, "Remove it in bunfig.toml.");
  return passed(`${seconds / 86_400} days; younger: ${excluded.join(", ")}`);
};

/** An explicit list of packages that may run install scripts. Without one, Bun would trust its own list. */
export const checkScripts = ({ trustedDependencies: trusted }: Manifest): Finding => {
  if (!trusted) return failed("package.json has no trustedDependencies", 'Add "trustedDependencies": [].');
  const unknown = trusted.filter((name) => !MAY_RUN_SCRIPTS[name]);
  if (unknown.length > 0 || trusted.length > 3)
    return failed(`not reviewed: ${unknown.join(", ")}`, "Remove it, or add the reason to this check.");
  return passed(trusted.length === 0 ? "no package may run install scripts" : `allowed: ${trusted.join(", ")}`);
};

/** The bill of materials lists what the lockfile ships, once each. */
export const checkSbom = (manifest: Manifest, lockText: string): Finding => {
  const lockfile = readLockfile(lockText, manifest);
  const shipped = [...lockfile.packages.values()].filter(({ path }) => lockfile.needOf(path) !== "development");
  const wanted = new Set(shipped.map(({ name, version }) => `${name}@${version}`));
  const { components } = createSbom(lockfile);
  const libraries = components.filter(({ type }) => type === "library");
  const listed = libraries.map(({ group, name, version }) => `${group ? `${group}/` : ""}${name}@${version}`);
  const problems = [...wanted.symmetricDifference(new Set(listed))];
  if (problems.length > 0) return failed(lines(problems), "Compare `bun run sbom` with bun.lock.");
  const licensed = libraries.filter(({ licenses }) => licenses).length;
  return passed(`CycloneDX with ${listed.length} packages, ${licensed} of them with a licence`);
};
