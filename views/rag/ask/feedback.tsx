import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { NewSample } from "../../../gateway/datasets/contract";
import type { Feedback } from "../../../gateway/feedback/contract";
import type { RagAnswer } from "../../../gateway/rag/contract";
import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import { type Frame, Screen } from "../../layout";
import { Fields, fieldsOf, posts, text } from "../../ui/fields";
import { Icon } from "../../ui/parts";
import type { Asked } from "./asking";

export const FeedbackFields = Fields({
  request: text(128),
  rating: text(10),
  comment: text(10_000),
  dataset: text(100),
  expected: text(10),
  /** The exchange as JSON, because it is not stored. */
  sample: text(2_000_000),
});
export type FeedbackForm = Required<Static<typeof FeedbackFields>>;

/** The parts of an exchange that the form contains. */
const Exchange = Type.Object({
  question: Type.String({ minLength: 1 }),
  answer: Type.String(),
  contexts: Type.Array(Type.String(), { maxItems: 100 }),
  /** The answer is the fallback text. */
  isRefused: Type.Optional(Type.Boolean()),
});

/** The reference of a sample that the documents don't answer. */
const NO_ANSWER = "unanswerable";

const exchangeOf = ({ question, text, retrieval }: Asked, isRefused: boolean): typeof Exchange.static => ({
  question,
  isRefused,
  answer: text,
  contexts: (retrieval?.chunks ?? []).filter(({ context }) => context !== null).map((chunk) => chunk.text),
});

/** The exchange in a form as a sample; undefined if it is not one of ours. */
export const readSample = ({ sample, request, expected }: FeedbackForm, index: RagIndex): NewSample | undefined => {
  const given = parsed(sample);
  if (!Value.Check(Exchange, given)) return undefined;
  const { question, answer, contexts, isRefused } = given;
  return {
    key: request,
    input: question,
    output: answer,
    contexts,
    ...(expected === "yes" && { references: [isRefused ? NO_ANSWER : answer] }),
    tags: ["rag"],
    metadata: { index: index.name, request_id: request },
  };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

interface RatingProps {
  index: RagIndex;
  asked: Asked;
  answer: RagAnswer;
  /** The user may add samples to datasets. */
  mayAdd: boolean;
}

/** Thumbs with an optional comment, and for editors a form to add the exchange to a dataset. */
export const Rating = ({ index, asked, answer, mayAdd }: RatingProps) => {
  const { area, text: line, choice } = fieldsOf({});
  const isRefused = answer.status === "no_relevant_context";
  const form = { ...posts(`/rag/${index.id}/ask/feedback`, "#rating"), novalidate: true };
  const request = <input type="hidden" name="request" value={answer.request_id} />;
  return (
    <div id="rating" class="rating">
      <form class="form" {...form}>
        {request}
        <div class="form-end">
          <button type="submit" name="rating" value="up" class="secondary">
            <Icon name="thumb" /> Good answer
          </button>
          <button type="submit" name="rating" value="down" class="secondary thumb-down">
            <Icon name="thumb" /> Bad answer
          </button>
        </div>
        <details class="fold">
          <summary>Add a comment</summary>
          {area("comment", "Comment", { rows: 2, maxlength: 10_000, hint: "Saved when you choose good or bad" })}
        </details>
      </form>
      {mayAdd && (
        <details class="fold">
          <summary>Save as a sample</summary>
          <form class="form" {...form}>
            {request}
            <input type="hidden" name="sample" value={JSON.stringify(exchangeOf(asked, isRefused))} />
            {line("dataset", "Dataset", {
              maxlength: 100,
              autocomplete: "off",
              hint: "An existing or new one. The sample has the question, the answer and the passages",
            })}
            {choice("expected", "Expected answer", "checkbox", [
              {
                value: "yes",
                label: isRefused
                  ? "The documents don’t answer this question: expect no answer"
                  : "This answer is correct: use it as the expected one",
              },
            ])}
            <div class="form-end">
              <button type="submit" class="secondary">
                Save as sample
              </button>
            </div>
          </form>
        </details>
      )}
    </div>
  );
};

interface SavedProps {
  rating?: Feedback["rating"];
  dataset?: string;
}

export const Saved = ({ rating, dataset }: SavedProps) => (
  <p class="panel success" role="status">
    <span>
      {rating && `Thank you. You rated this answer ${rating === "up" ? "good" : "bad"}. `}
      {dataset && (
        <>
          Saved as a sample: <a href={`/datasets/${dataset}`}>open the dataset</a>
        </>
      )}
    </span>
  </p>
);

/** The confirmation as a page, without scripts. */
export const SavedPage = ({ index, saved, ...frame }: Frame & { index: RagIndex; saved: SavedProps }) => (
  <Screen {...frame} title="Feedback" trail={[{ path: `/rag/${index.id}/ask`, name: `Ask ${index.name}` }]}>
    <Saved {...saved} />
  </Screen>
);
