import type { FailureKind, Label } from "../../gateway/evals/contract";
import { MAX_COMMENT_LENGTH } from "../../gateway/labels/contract";
import type { LabelService } from "../../gateway/labels/service";
import type { Principal } from "../../gateway/principal";
import { toAppError } from "../../lib/errors";
import type { Problems } from "../ui/fields";
import { FAILURE_WORDS } from "./words";

/** The fields of a label form, as sent. */
export interface FilledLabel {
  metric: string;
  value?: string;
  failure?: string;
  comment?: string;
}

/** An existing label as form fields. */
export const filledOf = ({ metric, value, failure, comment }: Label): FilledLabel => ({
  metric,
  value: String(value),
  failure: failure ?? "",
  comment: comment ?? "",
});

/** Id of a field. It names the criterion, because a page has one form per criterion. */
export const fieldId = (field: "value" | "failure" | "comment", metric: string): string => `${field}-${metric}`;

const isFailureKind = (text: string): text is FailureKind => Object.hasOwn(FAILURE_WORDS, text);

interface Giving {
  labels: Pick<LabelService, "add">;
  principal: Principal;
  resultId: string;
  /** The author has not seen the scores yet. */
  blind?: boolean;
  /** The message for a form without a value. */
  missing: string;
}

/** Stores the label of a form, or returns its problems by field. Throws not_found. */
export const giveLabel = async (
  { labels, principal, resultId, blind, missing }: Giving,
  { metric, value: text = "", failure = "", comment: sent = "" }: FilledLabel,
): Promise<Problems | undefined> => {
  const value = Number(text);
  const comment = sent.replaceAll("\r\n", "\n");
  if (text.trim() === "") return { [fieldId("value", metric)]: missing };
  if (!Number.isFinite(value)) return { [fieldId("value", metric)]: "Choose one of the values" };
  if (comment.length > MAX_COMMENT_LENGTH) {
    const most = MAX_COMMENT_LENGTH.toLocaleString("en");
    return { [fieldId("comment", metric)]: `Shorten the comment to at most ${most} characters` };
  }
  const label = { metric, value, failure: isFailureKind(failure) ? failure : null, comment, blind };
  try {
    await labels.add(principal, resultId, label, async () => {});
    return undefined;
  } catch (thrown) {
    const { kind, message, detail } = toAppError(thrown);
    if (kind === "invalid_request" && detail.param === "value") return { [fieldId("value", metric)]: message };
    // The key may add labels, but no comments: its texts must not be stored.
    if (kind === "insufficient_role") return { [fieldId("comment", metric)]: message };
    throw thrown;
  }
};
