import { ownValue } from "../../lib/own-value";

/** A package of bun.lock at one place in `node_modules`. */
export interface LockedPackage {
  /** Its place: `elysia`, or `pino/thread-stream` for a version of its own inside another package. */
  path: string;
  name: string;
  version: string;
  /** SHA-512 of the package's archive in base64, with its prefix. */
  integrity: string;
  dependencies: readonly string[];
  optionalDependencies: readonly string[];
}

/** How a package is needed: by every installation, by some platforms, or only by developers. */
type Need = "required" | "optional" | "development";

export interface Lockfile {
  /** The packages that are downloaded, by their place. */
  packages: ReadonlyMap<string, LockedPackage>;
  /** The place of the package that `name` means inside the package at `from` ("" is the project). */
  resolve(from: string, name: string): string | undefined;
  /** How the project needs the package at `path`. */
  needOf(path: string): Need;
}

type Names = Record<string, string>;
type Entry = [resolved: string, registry: string, facts: Facts, integrity: string];
interface Facts {
  dependencies?: Names;
  optionalDependencies?: Names;
}

interface Manifest {
  dependencies?: Names;
  optionalDependencies?: Names;
}

const namesOf = (names: Names | undefined): string[] => Object.keys(names ?? {});

/** Parses bun.lock, which is JSON with trailing commas. Packages from a folder of the project are left out. */
export const readLockfile = (text: string, manifest: Manifest): Lockfile => {
  const { packages: entries } = Bun.JSONC.parse(text) as { packages: Record<string, Entry> };
  const packages = new Map<string, LockedPackage>();
  for (const [path, [resolved, , facts, integrity]] of Object.entries(entries)) {
    const at = resolved.lastIndexOf("@");
    const version = resolved.slice(at + 1);
    if (version.startsWith("file:")) continue;
    packages.set(path, {
      ...{ path, name: resolved.slice(0, at), version, integrity },
      dependencies: namesOf(facts.dependencies),
      optionalDependencies: namesOf(facts.optionalDependencies),
    });
  }

  // As Node.js does: in the package itself, then in each package around it.
  const resolve = (from: string, name: string): string | undefined => {
    for (let folder = from; ; folder = parentOf(folder)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (ownValue(entries, path)) return path;
      if (folder === "") return undefined;
    }
  };

  const reach = (found: Set<string>, from: string, names: readonly string[], isOptionalToo: boolean): Set<string> => {
    for (const name of names) {
      const locked = packages.get(resolve(from, name) ?? "");
      if (!locked || found.has(locked.path)) continue;
      found.add(locked.path);
      reach(found, locked.path, locked.dependencies, isOptionalToo);
      if (isOptionalToo) reach(found, locked.path, locked.optionalDependencies, true);
    }
    return found;
  };
  const required = reach(new Set(), "", namesOf(manifest.dependencies), false);
  const shipped = reach(new Set(), "", namesOf({ ...manifest.dependencies, ...manifest.optionalDependencies }), true);

  return {
    packages,
    resolve,
    needOf: (path) => (required.has(path) ? "required" : shipped.has(path) ? "optional" : "development"),
  };
};

/** The place of the package around the one at `path`. A name with a scope has a slash of its own. */
const parentOf = (path: string): string => {
  const parts = path.split("/");
  const own = parts.at(-2)?.startsWith("@") ? 2 : 1;
  return parts.slice(0, -own).join("/");
};
