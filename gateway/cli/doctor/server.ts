import { lookup } from "node:dns/promises";
import { capabilitiesOf, switchesOf } from "../../../gpu-node/engine/openai/capabilities";
import { createUpstream, type ListedModel } from "../../../gpu-node/engine/openai/upstream";
import type { ModelCapabilities } from "../../../gpu-node/protocol";
import type { Config } from "../../../lib/config";
import { toAppError } from "../../../lib/errors";
import { networkList } from "../../../lib/networks";
import type { Settings } from "../../../lib/settings";
import { type Check, type Finding, failed, passed, type Result, runCheck, warning } from "./check";
import { type Ask, chatWith, type Observation, PROBES, Refusal } from "./probes";

const REQUEST_MS = 8000;
/** A server in these networks is not a paid service. */
const OWN_NETWORKS = networkList([
  ...["127.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
  ...["::1", "fc00::/7", "fe80::/10"],
]);

const CAPABILITIES = "GROUNDWIRE_NODE_ENGINE_CAPABILITIES";
const MAX_CHOICES = "GROUNDWIRE_NODE_ENGINE_MAX_CHOICES";

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");

/** The result for a server that is only called with `--probe`; undefined if it is in one of `OWN_NETWORKS`. */
const refuseForeign = async (engineUrl: string): Promise<Finding | undefined> => {
  const { origin } = new URL(engineUrl);
  const addresses = await lookup(hostOf(engineUrl), { all: true }).catch(() => []);
  if (addresses.length === 0)
    return failed(`${origin}: the host name has no address`, "Fix GROUNDWIRE_NODE_ENGINE_URL");
  if (addresses.every(({ address }) => OWN_NETWORKS.has(address))) return undefined;
  const how = "`bun run doctor --probe` sends eleven short ones";
  return passed(`not checked, because ${origin} may charge for requests; ${how}`);
};

/** What the node reports about its model, and the capabilities that the settings switch on or off. */
interface Claims {
  capabilities: ModelCapabilities;
  switches: { on: string[]; off: string[] };
  /** Whether the settings set the maximum number of choices. */
  hasMaxChoices: boolean;
}

/** How to make the node report what the server actually does. */
const remedyFor = (name: keyof typeof PROBES, can: boolean, { switches }: Claims): string => {
  if (name === "choices") return can ? `Set ${MAX_CHOICES}, for example to 8` : `Set ${MAX_CHOICES}=1`;
  if (can) return `Add ${name} to ${CAPABILITIES}`;
  return switches.on.includes(name)
    ? `Remove ${name} from ${CAPABILITIES}, or change how the server is started`
    : `Add -${name} to ${CAPABILITIES}, or change how the server is started`;
};

/** Compares what the node reports with how the server answered. */
const compare = (name: keyof typeof PROBES, seen: Observation, claims: Claims): Finding => {
  const { capabilities, switches, hasMaxChoices } = claims;
  const isOn = name === "choices" ? capabilities.max_choices > 1 : capabilities[name];
  const isOff = name === "choices" ? hasMaxChoices : switches.off.includes(name);
  if (seen.can === undefined) return warning(`unknown: ${seen.reason}`, "Run it again, or try a request of your own");
  if (seen.can && isOn) return passed("works, and the node offers it");
  if (seen.can) {
    return isOff
      ? passed("works, but a setting switches it off")
      : warning("works, but the node doesn't offer it", remedyFor(name, true, claims));
  }
  return isOn
    ? warning(`the node offers it, but it doesn't work: ${seen.reason}`, remedyFor(name, false, claims))
    : passed("doesn't work, and the node doesn't offer it");
};

const observe = async (name: keyof typeof PROBES, ask: Ask): Promise<Observation> => {
  try {
    return await PROBES[name](ask);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // A busy or failing server shows nothing about the feature.
    const isRefusal = error instanceof Refusal && ![401, 403, 404, 408, 429, 502, 503, 504].includes(error.status);
    return { can: isRefusal ? false : undefined, reason };
  }
};

interface Listed {
  ask: Ask;
  model: ListedModel;
}

/** Reads the server's list of models and asks the first one for one token. */
const connect = async ({ engineUrl, engineKey, slots }: Config["node"]): Promise<Listed> => {
  const upstream = createUpstream("GROUNDWIRE_NODE_ENGINE_URL", engineUrl, engineKey, slots);
  const listed = await (await upstream.call("/v1/models", AbortSignal.timeout(REQUEST_MS))).json();
  const [model] = (listed as { data?: ListedModel[] }).data ?? [];
  if (!model) throw new Error("lists no model");
  const ask = chatWith(upstream.base, engineKey, model.id, REQUEST_MS);
  await ask();
  return { ask, model };
};

/**
 * Checks a node that uses the openai engine: compares what the node reports with what the server behind it actually
 * does. Calls a server outside this machine and its private networks only if `isForced`, because requests may cost
 * money.
 */
export async function* serverResults(settings: Settings, isForced: boolean): AsyncGenerator<Result> {
  const { node } = settings.config;
  const { engineUrl } = node;
  if (node.engine !== "openai" || engineUrl === undefined) return;
  const refusal = isForced ? undefined : await refuseForeign(engineUrl);
  if (refusal) {
    yield { name: "server", ...refusal };
    return;
  }
  const { origin } = new URL(engineUrl);
  let listed: Listed | undefined;
  const reach: Check = async () => {
    try {
      listed = await connect(node);
      return passed(`${origin} answers with ${listed.model.id}`);
    } catch (error) {
      const { message } = error instanceof Refusal ? error : toAppError(error);
      return failed(`${origin} does not answer: ${message}`, "Start that server, or fix GROUNDWIRE_NODE_ENGINE_URL");
    }
  };
  yield await runCheck("server", reach, settings);
  if (!listed) return;
  const { ask, model } = listed;
  const claims: Claims = {
    capabilities: capabilitiesOf(node, model.owned_by, model.max_model_len ?? node.contextTokens),
    switches: switchesOf(node.engineCapabilities),
    hasMaxChoices: node.engineMaxChoices !== undefined,
  };
  for (const name of Object.keys(PROBES) as (keyof typeof PROBES)[]) {
    const check: Check = async () => compare(name, await observe(name, ask), claims);
    yield await runCheck(`server-${name.replaceAll("_", "-")}`, check, settings);
  }
}
