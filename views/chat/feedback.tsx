import type { Feedback } from "../../gateway/feedback/contract";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { ChoiceField, type Problems, TextAreaField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";

/** A filled form, as it came. */
export interface FeedbackForm {
  rating: string;
  comment: string;
  correction: string;
  dataset: string;
}

/** Form values for the user's earlier feedback. */
export const filledWith = (given: Feedback | undefined): FeedbackForm => ({
  rating: given?.rating ?? "",
  comment: given?.comment ?? "",
  correction: given?.correction ?? "",
  dataset: "",
});

interface RateProps {
  conversationId: string;
  answerId: string;
  feedback?: Feedback;
}

/** Link to the feedback form, which opens below the answer if scripts run; also shows the user's rating. */
export const Rate = ({ conversationId, answerId, feedback }: RateProps) => {
  const path = `/chat/${conversationId}/answers/${answerId}/feedback`;
  const verb = feedback ? "Change feedback" : "Give feedback";
  return (
    <a
      id={`rate-${answerId}`}
      class={feedback ? "button quiet rated" : "button quiet icon-button"}
      href={path}
      hx-get={path}
      hx-target={`#feedback-${answerId}`}
      hx-swap="innerHTML"
      title={verb}
    >
      <Icon name="thumb" />
      {feedback && <span>{feedback.rating === "up" ? "Rated good" : "Rated bad"}</span>}
      <span class="visually-hidden">{verb}</span>
    </a>
  );
};

interface FeedbackProps {
  /** Path that the form is sent to. */
  path: string;
  answerId: string;
  form: FeedbackForm;
  /** Names of datasets that the answer may be added to; undefined: the reader may add to none. */
  datasets?: readonly string[];
  problems?: Problems;
}

/** The form for feedback on an answer. Readers who may edit datasets can also add the answer to one. */
export const FeedbackFields = ({ path, answerId, form, datasets, problems = {} }: FeedbackProps) => (
  <form
    class="card form"
    method="post"
    action={path}
    hx-post={path}
    hx-target={`#feedback-${answerId}`}
    hx-swap="innerHTML"
    hx-disable="find button"
    novalidate
  >
    <ChoiceField
      name="rating"
      id={`rating-${answerId}`}
      legend="How is this answer?"
      type="radio"
      value={[form.rating]}
      problem={problems.rating}
      options={[
        { value: "up", label: "Good" },
        { value: "down", label: "Bad" },
      ]}
    />
    <TextAreaField
      name="comment"
      id={`comment-${answerId}`}
      label="Comment"
      value={form.comment}
      rows={2}
      attributes={{ maxlength: 10_000 }}
    />
    <TextAreaField
      name="correction"
      id={`correction-${answerId}`}
      label="The correct answer"
      value={form.correction}
      rows={2}
      attributes={{ maxlength: 100_000 }}
    />
    {datasets && (
      <>
        <TextField
          name="dataset"
          id={`dataset-${answerId}`}
          label="Add to a dataset"
          hint="Name of a dataset; a new name creates one. Leave blank to keep only the feedback"
          value={form.dataset}
          problem={problems.dataset}
          attributes={{ maxlength: 100, autocomplete: "off", list: `datasets-${answerId}` }}
        />
        <datalist id={`datasets-${answerId}`}>
          {datasets.map((name) => (
            <option value={name}></option>
          ))}
        </datalist>
      </>
    )}
    <div class="form-end">
      <button type="submit">Save feedback</button>
      <a class="button secondary" href={path.replace(/\/answers\/.*/, "")}>
        Cancel
      </a>
    </div>
  </form>
);

/** Confirms that the feedback was saved. */
const FeedbackSaved = ({ feedback }: { feedback: Feedback }) => (
  <p class="panel success" role="status">
    {feedback.sample ? (
      <span>
        Saved and added to a dataset: <a href={`/datasets/${feedback.sample.dataset_id}`}>open the dataset</a>
      </span>
    ) : (
      "Saved. Thank you."
    )}
  </p>
);

/** The confirmation below an answer; also updates the answer's rating. */
export const FeedbackKept = ({ feedback, ...place }: RateProps & { feedback: Feedback }) => (
  <>
    <FeedbackSaved feedback={feedback} />
    <hx-partial hx-target={`#rate-${place.answerId}`} hx-swap="outerHTML">
      <Rate {...place} feedback={feedback} />
    </hx-partial>
  </>
);

interface FeedbackPageProps extends Frame, FeedbackProps {
  conversationId: string;
  answer: string;
  saved?: Feedback;
}

/** The same on a separate page, for readers without scripts. */
export const FeedbackPage = ({ conversationId, answer, saved, request, principal, ...form }: FeedbackPageProps) => (
  <Shell
    request={request}
    principal={principal}
    title={form.problems ? "Error: Feedback" : "Feedback"}
    trail={[{ path: `/chat/${conversationId}`, name: "Back to the chat" }]}
  >
    <Heading title="Feedback on an answer" />
    <Alerts />
    <p class="verbatim card">{answer}</p>
    <div id={`feedback-${form.answerId}`}>
      {saved ? <FeedbackSaved feedback={saved} /> : <FeedbackFields {...form} />}
    </div>
  </Shell>
);
