import { freePort } from "../free-port";
import { ServerProcess } from "../harness";
import { requireTool } from "./tools";

/**
 * Checks the node's HTTP/2 with h2spec, and a bare server of the same runtime for comparison: `bun run faults h2spec`.
 * A test that only the node fails is repeated against both servers, because some fail at random on a busy machine. The
 * node must pass every test that the bare server passes, except the ones below.
 */

/** Tests that the node fails on purpose, by number. */
const KNOWN: Record<string, string> = {
  "http2/3.5/2": "an invalid preface could be HTTP/1.1, which the port also speaks, so it gets a 400",
};
const REPEATS = 5;

const BARE = `require("node:http2").createServer((request, response) => request.resume().on("end", () => response.end("ok")))
  .listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"))`;

const program = requireTool("h2spec");

interface Result {
  tests: number;
  passed: number;
  /** Number and description of each failed test. */
  misses: Map<string, string>;
}

const check = async (port: number, ...tests: string[]): Promise<Result> => {
  const command = [program, "-h", "127.0.0.1", "-p", String(port), ...tests];
  const output = await Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] }).stdout.text();
  const [, count = 0, passed = 0] = /(\d+) tests?, (\d+) passed/.exec(output)?.map(Number) ?? [];
  // A test that failed is printed with its number, and again at the end under its section.
  const [, summary = ""] = output.split("Failures:");
  const misses = new Map<string, string>();
  let [suite, section] = ["", ""];
  for (const line of summary.split("\n").map((one) => one.trim())) {
    if (line.startsWith("Generic")) suite = "generic";
    else if (line.startsWith("Hypertext")) suite = "http2";
    else if (line.startsWith("HPACK")) suite = "hpack";
    const [, number] = /^(\d+(?:\.\d+)*)\. /.exec(line) ?? [];
    if (number) section = number;
    const [, test, what = ""] = /^× (\d+): (.*)/.exec(line) ?? [];
    if (test) misses.set(`${suite}/${section}/${test}`, what);
  }
  return { tests: count, passed, misses };
};

/** How often a server passes a test. */
const passes = async (port: number, test: string): Promise<number> => {
  let count = 0;
  for (let n = 0; n < REPEATS; n++) if ((await check(port, test)).passed > 0) count++;
  return count;
};

const [port, barePort] = [await freePort(), await freePort()];
const settings = { GROUNDWIRE_NODE_ENGINE: "synthetic", GROUNDWIRE_NODE_PORT: String(port) };
const node = new ServerProcess("gpu-node/main.ts", settings, process.cwd());
const bare = new ServerProcess(["-e", BARE], { PORT: String(barePort) }, process.cwd());
try {
  await Promise.all([node.ready(`http://127.0.0.1:${port}/readyz`), bare.says("listening")]);
  const [ours, theirs] = [await check(port), await check(barePort)];
  console.log(`The node passes ${ours.passed} of ${ours.tests} tests, a bare server ${theirs.passed}.`);
  let unexpected = 0;
  for (const [test, what] of ours.misses) {
    const { [test]: reason } = KNOWN;
    if (theirs.misses.has(test)) console.log(`both fail ${test}: ${what}`);
    else if (reason) console.log(`the node fails ${test}: ${what} (${reason})`);
    else {
      const [own, bare] = [await passes(port, test), await passes(barePort, test)];
      if (own < bare) unexpected++;
      console.log(`${test}: the node passes ${own} of ${REPEATS} times, the bare server ${bare} times: ${what}`);
    }
  }
  process.exitCode = ours.tests > 0 && unexpected === 0 && !node.hasEnded ? 0 : 1;
} finally {
  await Promise.all([node.stop(), bare.stop()]);
}
