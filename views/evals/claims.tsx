import type { Claim } from "../../gateway/evals/contract";
import { Table, withQuery } from "../ui/lists";
import { Tabs } from "../ui/parts";

const WORDS: Readonly<Record<Claim["verdict"], string>> = {
  supported: "supported",
  partly: "partly supported",
  unsupported: "not supported",
};

/**
 * An answer with its claims marked, and in each claim the part that no context supports. Claims are underlined,
 * numbered and labelled as well as coloured. The answer comes from a model, so it is rendered as plain text.
 */
export const MarkedAnswer = ({ text, claims }: { text: string; claims: readonly Claim[] }) => (
  <div class="verbatim marked" hx-ignore>
    {piecesOf(text, claims).map(({ text: piece, claim, number }) =>
      claim ? (
        <>
          <mark class={claim.verdict} id={`said-${number}`}>
            {partsOf(text, claim).map((part) => (part.isMissing ? <em class="missing">{part.text}</em> : part.text))}
          </mark>
          <sup>
            <a href={`#claim-${number}`} aria-label={`Claim ${number}: ${WORDS[claim.verdict]}`}>
              {number}
            </a>
          </sup>
        </>
      ) : (
        piece
      ),
    )}
  </div>
);

interface Piece {
  text: string;
  claim?: Claim;
  /** Number of the claim, from 1. */
  number?: number;
}

/**
 * The whole text in order, split into claims and the text between them. A claim that overlaps an earlier claim is left
 * out.
 */
const piecesOf = (text: string, claims: readonly Claim[]): Piece[] => {
  const pieces: Piece[] = [];
  let from = 0;
  for (const [index, claim] of claims.entries()) {
    if (claim.start < from || claim.end > text.length) continue;
    if (claim.start > from) pieces.push({ text: text.slice(from, claim.start) });
    pieces.push({ text: text.slice(claim.start, claim.end), claim, number: index + 1 });
    from = claim.end;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
};

/** Splits a partly supported claim into the parts that a context supports and the parts that no context supports. */
const partsOf = (text: string, { start, end, verdict, unsupported }: Claim): { text: string; isMissing: boolean }[] => {
  if (verdict !== "partly") return [{ text: text.slice(start, end), isMissing: false }];
  const parts = [];
  let from = start;
  for (const span of unsupported.toSorted((one, other) => one.start - other.start)) {
    const isWhole = span.start <= start && span.end >= end;
    if (isWhole || span.start < from || span.end > end) continue;
    parts.push({ text: text.slice(from, span.start), isMissing: false });
    parts.push({ text: text.slice(span.start, span.end), isMissing: true });
    from = span.end;
  }
  return [...parts, { text: text.slice(from, end), isMissing: false }];
};

/** The claims that one evaluator found in an answer. */
export interface ClaimsByEvaluator {
  evaluator: string;
  /** Whether the evaluator's scores count towards the verdict. */
  isCounted: boolean;
  claims: readonly Claim[];
}

interface ClaimTabsProps {
  all: readonly ClaimsByEvaluator[];
  shown: ClaimsByEvaluator;
  path: string;
}

/** Links that switch between the claims of several evaluators: each evaluator splits the answer in its own way. */
export const ClaimTabs = ({ all, shown, path }: ClaimTabsProps) => (
  <Tabs
    label="Claims by evaluator"
    tabs={all.map((each) => ({
      href: `${withQuery(path, { claims: each.evaluator })}#answer-title`,
      text: `${each.evaluator}${each.isCounted ? "" : " (excluded from the verdict)"}`,
      current: each === shown ? "true" : undefined,
    }))}
  />
);

/** One evaluator's claims, each with its verdict and the context that supports it best. */
export const ClaimTable = ({ evaluator, claims }: ClaimsByEvaluator) => (
  <Table
    caption={`Claims by ${evaluator}`}
    rows={claims.map((claim, index) => ({ ...claim, number: index + 1 }))}
    columns={[
      {
        name: "Claim",
        isLong: true,
        cell: ({ number, text }) => (
          <span id={`claim-${number}`}>
            <a href={`#said-${number}`} aria-label={`Claim ${number} in the answer`}>
              {number}
            </a>{" "}
            {text}
          </span>
        ),
      },
      { name: "Verdict", cell: ({ verdict }) => <span class={`state ${KINDS[verdict]}`}>{WORDS[verdict]}</span> },
      { name: "Reason", isLong: true, cell: ({ unsupported }) => unsupported.map(({ note }) => note).join(" ") },
      { name: "Support", isNumeric: true, cell: ({ score }) => score.toFixed(2) },
      {
        name: "Best context",
        cell: ({ context }) => (context === null ? "none" : <a href={`#context-${context + 1}`}>{context + 1}</a>),
      },
    ]}
  />
);

const KINDS: Readonly<Record<Claim["verdict"], string>> = { supported: "good", partly: "fair", unsupported: "bad" };
