import { DEGRADATION_CODES } from "../../gateway/health/contract";
import { exchangeOf } from "../../gateway/http/exchange";
import { Icon } from "./icon";

/** What a reader notices of each reduction, and what goes on working. */
const WORDS: Record<(typeof DEGRADATION_CODES)[number], string> = {
  cached_only: "No GPU node answers: new answers wait for one. Earlier chats, keys and stored answers still work.",
  fewer_nodes: "Some GPU nodes are away: everything works, answers may come later than usual.",
  cache_local: "The shared cache is away: everything works, some answers are made again.",
  no_jobs: "No jobs worker runs: uploads wait for one. Everything else works as usual.",
  cache_off: "Stored answers are off: everything works, each answer is made anew.",
  limits_local: "Limits are counted by each gateway alone: everything else works as usual.",
  fewer_tokens: "Answers are shorter than usual while there is much to do.",
  fallback_model: "Another model stands in for the one you asked for.",
  no_evals: "Answers are not evaluated for now; chatting works as usual.",
};

/** A line on every page for each thing that is reduced now: the codes that this very answer's `x-degraded` tells. */
export const Degraded = ({ request }: { request: Request }) => {
  const said = exchangeOf(request).headers["x-degraded"]?.split(", ") ?? [];
  const codes = DEGRADATION_CODES.filter((code) => said.includes(code));
  if (codes.length === 0) return null;
  return (
    <aside class="degraded" aria-label="Reduced service">
      <Icon name="alert" />
      <div>
        {codes.map((code) => (
          <p>{WORDS[code]}</p>
        ))}
      </div>
    </aside>
  );
};
