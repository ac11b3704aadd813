import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../lib/errors";
import manifest from "../../package.json";
import { type LockedPackage, type Lockfile, readLockfile } from "./lockfile";

const ROOT = join(import.meta.dir, "../..");

interface Component {
  type: "library" | "platform" | "application";
  "bom-ref": string;
  group?: string;
  name: string;
  version: string;
  scope?: "required" | "optional" | "excluded";
  hashes?: { alg: "SHA-512"; content: string }[];
  licenses?: ({ license: { id: string } } | { expression: string } | { license: { name: string } })[];
  purl?: string;
}

/** A software bill of materials in CycloneDX 1.6 (ECMA-424), the fields that this program fills. */
export interface Sbom {
  $schema: string;
  bomFormat: "CycloneDX";
  specVersion: "1.6";
  serialNumber: string;
  version: 1;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** CycloneDX's words for how a package is needed. */
const SCOPES = { required: "required", optional: "optional", development: "excluded" } as const;

/** Reads the lockfile of this installation. Throws not_found if it was left out of the installation. */
export const installedLockfile = (): Lockfile => {
  try {
    return readLockfile(readFileSync(join(ROOT, "bun.lock"), "utf8"), manifest);
  } catch (cause) {
    const message = "This installation has no readable bun.lock. Copy it from the release next to package.json.";
    throw new AppError("not_found", message, { cause });
  }
};

/**
 * Lists the packages that Groundwire ships with, from its lockfile: names, versions, hashes, licences and what depends
 * on what. The same lockfile gives the same document. Licences are known only for installed packages, so packages for
 * other platforms have none. `hasDevelopment` adds the packages that only developers need.
 */
export const createSbom = (lockfile = installedLockfile(), { hasDevelopment = false } = {}): Sbom => {
  const shipped = [...lockfile.packages.values()].filter(
    ({ path }) => hasDevelopment || lockfile.needOf(path) !== "development",
  );
  // The same version at two places is one component, needed as strongly as the place that needs it most.
  const components = new Map<string, Component>();
  const dependsOn = new Map<string, Set<string>>();
  for (const locked of shipped) {
    const ref = purlOf(locked);
    const scope = SCOPES[lockfile.needOf(locked.path)];
    const known = components.get(ref);
    if (!known) components.set(ref, { ...componentOf(locked), scope });
    else if (scope === "required" || known.scope === "excluded") known.scope = scope;
    const refs = dependsOn.getOrInsertComputed(ref, () => new Set());
    for (const name of [...locked.dependencies, ...locked.optionalDependencies]) {
      const found = lockfile.packages.get(lockfile.resolve(locked.path, name) ?? "");
      if (found) refs.add(purlOf(found));
    }
  }
  const direct = Object.keys({ ...manifest.dependencies, ...(hasDevelopment && manifest.devDependencies) });
  const own = `pkg:npm/${manifest.name}@${manifest.version}`;
  const runtime = { type: "platform", "bom-ref": "bun", name: "bun", version: manifest.engines.bun } as const;
  const tree = [
    { ref: own, dependsOn: ["bun", ...direct.flatMap((name) => refAt(lockfile, name))].sort() },
    ...[...dependsOn].map(([ref, refs]) => ({ ref, dependsOn: [...refs].sort() })).sort(byRef),
  ];
  const listed = [runtime, ...components.values()].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: serialOf(listed),
    version: 1,
    metadata: {
      component: {
        ...{ type: "application", "bom-ref": own, name: manifest.name, version: manifest.version },
        licenses: [{ license: { id: manifest.license } }],
      },
    },
    components: listed,
    dependencies: tree,
  };
};

const byRef = (a: { ref: string }, b: { ref: string }): number => (a.ref < b.ref ? -1 : 1);

const refAt = (lockfile: Lockfile, name: string): string[] => {
  const found = lockfile.packages.get(name);
  return found ? [purlOf(found)] : [];
};

/** The package URL: `pkg:npm/%40libsql/client@0.18.0`. */
const purlOf = ({ name, version }: LockedPackage): string =>
  `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`;

const componentOf = (locked: LockedPackage): Component => {
  const [group, name] = locked.name.startsWith("@") ? locked.name.split("/") : [undefined, locked.name];
  return {
    type: "library",
    "bom-ref": purlOf(locked),
    ...(group && { group }),
    name: name ?? locked.name,
    version: locked.version,
    hashes: [
      { alg: "SHA-512", content: Buffer.from(locked.integrity.replace("sha512-", ""), "base64").toString("hex") },
    ],
    ...licencesOf(locked),
    purl: purlOf(locked),
  };
};

/** SPDX identifiers that packages here use. CycloneDX rejects an `id` that is not one. */
const SPDX_IDS = new Set([
  ...["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0"],
  ...["ISC", "MIT", "MIT-0", "MPL-2.0", "OFL-1.1", "Python-2.0", "Unlicense", "WTFPL", "Zlib"],
]);

const licencesOf = ({ path }: LockedPackage): Pick<Component, "licenses"> => {
  const licence = installedLicence(path);
  if (!licence) return {};
  if (SPDX_IDS.has(licence)) return { licenses: [{ license: { id: licence } }] };
  return { licenses: [/\b(?:OR|AND|WITH)\b/.test(licence) ? { expression: licence } : { license: { name: licence } }] };
};

/** The licence in an installed package's own manifest; undefined if the package isn't installed or names none. */
const installedLicence = (path: string): string | undefined => {
  const folder = path.split(/(?<!@[^/]*)\//).join("/node_modules/");
  try {
    const { license } = JSON.parse(readFileSync(join(ROOT, "node_modules", folder, "package.json"), "utf8"));
    return typeof license === "string" ? license : (license?.type ?? undefined);
  } catch {
    return undefined;
  }
};

/** A UUID of version 8 made from the content, so that equal documents have equal serial numbers. */
const serialOf = (components: Component[]): string => {
  const digest = Bun.SHA256.hash(JSON.stringify(components.map((each) => each["bom-ref"])), "hex");
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return `urn:uuid:${[...parts, digest.slice(20, 32)].join("-")}`;
};
