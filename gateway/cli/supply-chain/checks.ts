import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CATALOGUE, type CatalogueModel, neededModels } from "../../../gpu-node/models/catalogue";
import { hashFile } from "../../../gpu-node/models/verify";
import { readSettings } from "../../../lib/settings";
import manifest from "../../../package.json";
import { readVendored, VENDORED, type VendoredFile } from "../../http/vendored-files";
import { isWellFormed, KEY_PATTERN } from "../../keys/format";
import { type Finding, failed, passed, type Result, warning } from "../doctor/check";
import { checkAge, checkHashes, checkPins, checkSbom, checkScripts } from "./manifest";

const ROOT = join(import.meta.dir, "../../..");
const read = (path: string): Promise<string> => Bun.file(join(ROOT, path)).text();

const run = async (command: string[], cwd = ROOT): Promise<{ code: number; out: string }> => {
  const child = Bun.spawn(command, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  const [out, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out: out || errors };
};

/** Every file that browsers get from a package is the reviewed one. */
const checkBrowserFiles = (): Finding => {
  const files = Object.entries(VENDORED).flatMap(([name, { files }]) =>
    Object.keys(files).map((file) => `${name}/${file}` as VendoredFile),
  );
  for (const file of files) readVendored(file);
  const packages = Object.entries(VENDORED).map(([name, { version, licence }]) => `${name} ${version} (${licence})`);
  return passed(`${files.length} files of ${packages.join(", ")}`);
};

/** The models that Groundwire downloads have a licence and a hash, and the downloaded files match it. */
const checkModels = async (): Promise<Finding> => {
  const { config } = readSettings();
  const isPinned = ({ file, licence }: CatalogueModel) => Boolean(file.sha256 && licence);
  const kinds = new Set(CATALOGUE.map(({ kind }) => kind));
  const needed = neededModels(config).filter(({ kind }) => kinds.has(kind));
  const defaults = needed.map(({ kind }) => CATALOGUE.find((model) => model.kind === kind));
  const unpinned = defaults.filter((model) => !model || !isPinned(model));
  if (unpinned.length > 0) return failed("a default model has no hash or licence", "Add them to the catalogue.");
  let checked = 0;
  for (const { file } of CATALOGUE) {
    const path = join(config.models.dir, file.name);
    if (file.sha256 === undefined || !(await Bun.file(path).exists())) continue;
    if ((await hashFile(path)) !== file.sha256)
      return failed(`${path} has a different sha256`, "Run: bun run models fetch");
    checked += 1;
  }
  return passed(`${defaults.length} default models pinned by sha256; ${checked} downloaded files match`);
};

/** No file of the project, now or in its history, contains a key of Groundwire. */
const checkKeys = async (): Promise<Finding> => {
  const pattern = KEY_PATTERN.source.replaceAll("\\b", "");
  const now = await run(["git", "grep", "-hoE", pattern]);
  const { code, ...before } = await run(["git", "log", "--all", "-p", "--no-color", "-G", pattern, "--format="]);
  if (code !== 0) return warning("not checked: this folder has no git history", "Run it in a clone.");
  const matches = `${now.out}\n${before.out}`.matchAll(new RegExp(KEY_PATTERN, "g"));
  const keys = new Set([...matches].map(([key]) => key).filter(isWellFormed));
  if (keys.size > 0) return failed(`${keys.size} valid keys are in files or in the history`, "Revoke them.");
  return passed("no valid key in the files or in the history");
};

/** gitleaks finds no other secret in the history either. */
const checkSecrets = async (): Promise<Finding> => {
  const program = Bun.which("gitleaks") ?? Bun.which(join(process.env.HOME ?? "", "go/bin/gitleaks"));
  if (!program)
    return warning("not checked: gitleaks is missing", "go install github.com/zricethezav/gitleaks/v8@v8.30.1");
  const { code, out } = await run([program, "git", "--no-banner", "--redact", "--config", ".gitleaks.toml", "."]);
  const commits = /(\d+) commits scanned/.exec(out)?.[1];
  if (commits === undefined) return warning("not checked: gitleaks can't read the history", "Run it in a clone.");
  if (code === 0) return passed(`gitleaks found nothing in ${commits} commits`);
  return failed("gitleaks found secrets", "Run: gitleaks git --redact --verbose --config .gitleaks.toml .");
};

interface Waiver {
  /** The advisory's id, such as `GHSA-…`. */
  advisory: string;
  reason: string;
  /** The day on which it must be reviewed again. */
  until: string;
}

/** Known vulnerabilities that don't affect Groundwire. */
const WAIVERS: readonly Waiver[] = [];

/** No package has a known vulnerability of high severity. */
const checkVulnerabilities = async (): Promise<Finding> => {
  const { out } = await run([process.execPath, "audit", "--json"]);
  let found: Record<string, { url?: string; severity?: string }[]>;
  try {
    found = JSON.parse(out);
  } catch {
    const [, status] = /\b(\d{3})\s*$/.exec(out.trim()) ?? [];
    const reason = status ? `the registry answered ${status}` : "bun audit returned no result";
    return warning(`not checked: ${reason}`, "Run `bun audit` against a registry that supports it.");
  }
  const isWaived = (url = "") =>
    WAIVERS.some(({ advisory, until }) => url.endsWith(advisory) && new Date(until) > new Date());
  const grave = Object.entries(found).flatMap(([name, advisories]) =>
    advisories
      .filter(({ severity, url }) => /^(high|critical)$/.test(severity ?? "") && !isWaived(url))
      .map(({ url }) => `${name} ${url}`),
  );
  if (grave.length > 0) return failed(grave.join("; "), "Update the package, or add a waiver with a date.");
  return passed(`no known vulnerability of high severity; ${WAIVERS.length} waivers`);
};

/** One hash over the paths and contents of all files in a folder. */
const hashFolder = async (folder: string): Promise<{ hash: string; count: number }> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const hasher = new Bun.CryptoHasher("sha256");
  for (const path of paths.sort()) {
    hasher.update(path.slice(folder.length));
    hasher.update(await Bun.file(path).arrayBuffer());
  }
  return { hash: hasher.digest("hex"), count: paths.length };
};

/** Two installations from the lockfile have the same files. */
const checkInstalls = async (): Promise<Finding> => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-install-"));
  try {
    const hashes: { hash: string; count: number }[] = [];
    for (const name of ["first", "second"]) {
      const target = join(folder, name);
      for (const path of ["package.json", "bun.lock", "bunfig.toml", "gpu-node/cuda/not-installed"])
        await cp(join(ROOT, path), join(target, path), { recursive: true });
      const options = ["--frozen-lockfile", "--production", "--omit=peer", "--no-summary"];
      const { code, out } = await run([process.execPath, "install", ...options], target);
      if (code !== 0) return failed(`bun install: ${out.trim().split("\n").at(-1)}`, "Run: bun install");
      hashes.push(await hashFolder(join(target, "node_modules")));
    }
    const [first, second] = hashes;
    if (first?.hash !== second?.hash) return failed("two installations differ", "Compare their node_modules.");
    return passed(`two installations have the same ${first?.count} files: ${first?.hash.slice(0, 16)}…`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Groundwire has no build: a release is an archive of a commit, which is always the same. */
const checkArchive = async (): Promise<Finding> => {
  const archive = async () => {
    const child = Bun.spawn(["git", "archive", "HEAD"], { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
    return Bun.SHA256.hash(await new Response(child.stdout).bytes(), "hex");
  };
  const [first, second] = [await archive(), await archive()];
  if (first !== second) return failed("two archives of this commit differ", "Compare them with diffoscope.");
  return passed(`two archives of this commit are identical: sha256 ${first}`);
};

/** The rows of the table, by name. */
const CHECKS: Readonly<Record<string, () => Finding | Promise<Finding>>> = {
  "exact versions": async () => checkPins(manifest, await read("bun.lock")),
  "package hashes": async () => checkHashes(manifest, await read("bun.lock")),
  "release age": async () => checkAge(await read("bunfig.toml")),
  "install scripts": () => checkScripts(manifest),
  "bill of materials": async () => checkSbom(manifest, await read("bun.lock")),
  "browser files": checkBrowserFiles,
  "model files": checkModels,
  "keys in files": checkKeys,
  "secrets in history": checkSecrets,
  "known vulnerabilities": checkVulnerabilities,
  "equal installations": checkInstalls,
  "equal archives": checkArchive,
};

/** Runs every check of the supply chain in order. `report` gets each result when it is known. */
export const checkSupplyChain = async (report: (result: Result) => void = () => {}): Promise<Result[]> => {
  const results: Result[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const finding = await Promise.try(check).catch((error: Error) => failed(error.message, "Fix this problem."));
    results.push({ name, ...finding });
    report({ name, ...finding });
  }
  return results;
};
