/*
 * Logistic regression for vectors of all-MiniLM-L6-v2. The ratio of the weights and the point where relevance is 0.5 were
 * chosen on two labelled corpora (docs/rag.md). With another model, relevance still ranks questions, but the threshold
 * needs calibration.
 */
const BIAS = -6.7;
const COSINE = 12;
const COVERAGE = 3.6;

/**
 * How likely it is that the documents are about the question, from 0 to 1. Computed from the highest cosine and the
 * coverage of the question's words (`SearchResult.coverage`). null if nothing was found.
 */
export const relevanceOf = (cosine: number | null, coverage: number | null): number | null =>
  cosine === null || coverage === null ? null : 1 / (1 + Math.exp(-(BIAS + COSINE * cosine + COVERAGE * coverage)));
