import { freePort } from "../free-port";
import { ServerProcess } from "../harness";
import { requireTool } from "./tools";

/**
 * Checks the node's HTTP/2 with h2spec, and a bare server of the same runtime for comparison: `bun run faults h2spec`.
 * The node may not pass fewer tests than the bare server.
 */

const BARE = `require("node:http2").createServer((request, response) => request.resume().on("end", () => response.end("ok")))
  .listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listening"))`;

const program = requireTool("h2spec");

interface Result {
  tests: number;
  passed: number;
  misses: string[];
}

const check = async (port: number): Promise<Result> => {
  const command = [program, "-h", "127.0.0.1", "-p", String(port)];
  const output = await Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] }).stdout.text();
  const [, tests = 0, passed = 0] = /(\d+) tests, (\d+) passed/.exec(output)?.map(Number) ?? [];
  // A test that failed is printed with its number, and again at the end under its section.
  const [, summary = ""] = output.split("Failures:");
  const misses: string[] = [];
  let section = "";
  for (const line of summary.split("\n").map((one) => one.trim())) {
    if (/^\d+(\.\d+)*\. /.test(line)) section = line;
    if (line.startsWith("×")) misses.push(`${section}: ${line.slice(2)}`);
  }
  return { tests, passed, misses };
};

const [port, barePort] = [await freePort(), await freePort()];
const settings = { GROUNDWIRE_NODE_ENGINE: "synthetic", GROUNDWIRE_NODE_PORT: String(port) };
const node = new ServerProcess("gpu-node/main.ts", settings, process.cwd());
const bare = new ServerProcess(["-e", BARE], { PORT: String(barePort) }, process.cwd());
try {
  await Promise.all([node.ready(`http://127.0.0.1:${port}/readyz`), bare.says("listening")]);
  const [ours, theirs] = [await check(port), await check(barePort)];
  console.log(`The node passes ${ours.passed} of ${ours.tests} tests, a bare server ${theirs.passed}.`);
  for (const miss of ours.misses) {
    console.log(`${theirs.misses.includes(miss) ? "both" : "only the node"}: ${miss}`);
  }
  process.exitCode = ours.tests > 0 && ours.passed >= theirs.passed && !node.hasEnded ? 0 : 1;
} finally {
  await Promise.all([node.stop(), bare.stop()]);
}
