import { ADMIN_KEY, Stack } from "../harness";

/**
 * Runs Schemathesis (https://schemathesis.readthedocs.io) on the OpenAPI document of a real gateway with a synthetic
 * node and a jobs worker: `pip install schemathesis`, then `bun run schemathesis`. Arguments are passed to
 * `schemathesis run`, such as `--include-path-regex ^/v1/keys`. Exits with 1 if a check fails, or if a run of all
 * operations sent fewer than MIN_CASES. schemathesis.toml has the checks and their exceptions.
 */

const MIN_CASES = 10_000;
/** Maximum cases per operation and phase. A run of all operations sends about 13,000 cases. */
const MAX_EXAMPLES = "10";

/** Path of Schemathesis. Set SCHEMATHESIS if it is not on the PATH. */
const program = process.env.SCHEMATHESIS ?? "schemathesis";
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
  const child = Bun.spawn(
    [
      program,
      "--config-file",
      `${import.meta.dir}/schemathesis.toml`,
      "run",
      `${stack.url}/openapi.json`,
      "--no-color",
      "--max-examples",
      MAX_EXAMPLES,
      ...given,
    ],
    {
      // Stored crashes are deleted with the stack.
      cwd: stack.folder,
      env: { ...process.env, GROUNDWIRE_ADMIN_KEY: ADMIN_KEY },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let output = "";
  const decoder = new TextDecoder();
  for await (const piece of child.stdout) {
    process.stdout.write(piece);
    output += decoder.decode(piece, { stream: true });
  }
  process.exitCode = await child.exited;
  const cases = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
  if (given.length === 0 && cases < MIN_CASES) {
    console.error(`Only ${cases} cases were sent; at least ${MIN_CASES} are required.`);
    process.exitCode = 1;
  }
  console.log(stack.gateway.output);
} finally {
  await stack.stop();
}
