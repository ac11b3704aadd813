import { ADMIN_KEY, Stack } from "../harness";
import { requireTool } from "./tools";

/**
 * Runs Schemathesis (https://schemathesis.readthedocs.io) on the OpenAPI document of a real gateway with a synthetic
 * node and a jobs worker: `bun run schemathesis`. Arguments are passed to `schemathesis run`, such as
 * `--include-path-regex ^/v1/keys`. Exits with 1 if a check fails, or if a run of all operations sent fewer than
 * MIN_CASES. schemathesis.toml has the checks and their exceptions.
 */

const MIN_CASES = 10_000;
/** Maximum cases per operation and phase. A run of all 132 operations sends about 20,000 cases in two minutes. */
const MAX_EXAMPLES = "10";

const program = requireTool("schemathesis");
const given = process.argv.slice(2);

const stack = await Stack.start({
  engine: "synthetic",
  workers: 1,
  env: {
    GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "100000",
    GROUNDWIRE_LOG_LEVEL: "error",
  },
});
try {
  const command = [program, "--config-file", `${import.meta.dir}/schemathesis.toml`, "run"];
  const options = ["--no-color", "--max-examples", MAX_EXAMPLES, ...given];
  const child = Bun.spawn([...command, `${stack.url}/openapi.json`, ...options], {
    // Files that Schemathesis writes are deleted with the stack.
    cwd: stack.folder,
    env: { ...process.env, GROUNDWIRE_ADMIN_KEY: ADMIN_KEY },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const decoder = new TextDecoder();
  for await (const piece of child.stdout) {
    process.stdout.write(piece);
    output += decoder.decode(piece, { stream: true });
  }
  process.exitCode = await child.exited;
  const [cases = 0, passed = 0] = (/(\d+) generated.* (\d+) passed/.exec(output) ?? []).slice(1).map(Number);
  console.log(`${stack.gateway.output}\n${cases} cases, ${cases - passed} failed`);
  if (given.length === 0 && cases < MIN_CASES) {
    console.error(`Only ${cases} cases were sent; at least ${MIN_CASES} are required.`);
    process.exitCode = 1;
  }
} finally {
  await stack.stop();
}
