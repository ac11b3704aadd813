import type { DegradationCode } from "./contract";

/** What each mode reduces, in a sentence for operators. */
export const EFFECTS: Record<DegradationCode, string> = {
  cache_local: "Answers are cached only in this gateway; Redis is not used",
  fewer_nodes: "Some GPU nodes get no requests",
  cached_only: "Only cached answers are served, even expired ones; nothing is generated",
  no_jobs: "Uploads, documents and runs wait for a jobs worker",
  keyword_only: "Searches use only keywords, no vectors",
  cache_off: "No cached answer is used, and none is stored",
  limits_local: "Each gateway enforces limits on its own",
  fewer_tokens: "Interactive answers are cut off at GROUNDWIRE_BUSY_MAX_TOKENS",
  fallback_model: "The next model of GROUNDWIRE_FALLBACK_MODELS answers",
  no_evals: "Single evaluations are refused, and runs wait",
};
