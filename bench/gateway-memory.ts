import { countProgress } from "../lib/progress";
import { post } from "./load";
import { residentMib, startGateway } from "./processes";

const STEPS = 20;
const HITS_PER_STEP = 45_000;
const WHOLE_PER_STEP = 5_000;
const CONNECTIONS = 16;

const CHAT = { model: "smollm2-135m-instruct", max_tokens: 16 };
const PATH = "/v1/chat/completions";

/** Resident memory of the gateway over a million requests, nine cached answers per generated one. */
export const gatewayMemory = async () => {
  const gateway = await startGateway(16);
  try {
    const url = `${gateway.url}${PATH}`;
    const messages = [{ role: "user", content: "Name three colours." }];
    const resident = [{ requests: 0, mib: residentMib(gateway.pid) }];
    let requests = 0;
    let failures = 0;
    const progress = countProgress("gateway-memory", STEPS, "steps");
    for (let step = 0; step < STEPS; step++) {
      const cached = await post(url, { ...CHAT, messages, temperature: 0 }, HITS_PER_STEP, CONNECTIONS);
      const made = await post(url, { ...CHAT, messages }, WHOLE_PER_STEP, CONNECTIONS);
      requests += cached.requests + made.requests;
      failures += cached.failures + made.failures;
      resident.push({ requests, mib: Math.round(residentMib(gateway.pid)) });
      progress.step();
    }
    return { requests, failures, resident };
  } finally {
    await gateway.stop();
  }
};
