import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Feedback } from "../../gateway/feedback/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import { hasRole, type Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import { type Frame, Screen } from "../layout";
import { Fields, fieldsOf, type Problems, posts, typed } from "../ui/fields";
import { html, isHtmx, page } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { ButtonLink, Icon } from "../ui/parts";

const MAX_CORRECTION = 100_000;

const FeedbackForm = Fields({
  rating: typed(10),
  comment: typed(10_000),
  correction: typed(MAX_CORRECTION),
  dataset: typed(100),
});
type FeedbackForm = Static<typeof FeedbackForm>;

const filledWith = (given: Feedback | undefined): FeedbackForm => ({
  rating: given?.rating ?? "",
  comment: given?.comment ?? "",
  correction: given?.correction ?? "",
  dataset: "",
});

/** The feedback form of an answer: below the answer for htmx, otherwise on a separate page. */
export const feedbackRoutes = ({
  conversations,
  datasets,
  feedback,
}: Pick<Services, "conversations" | "datasets" | "feedback">) => {
  const showFeedback = async (
    request: Request,
    { id, answer: answerId }: { id: string; answer: string },
    filled: { form?: FeedbackForm; problems?: Problems; saved?: Feedback } = {},
  ): Promise<Response> => {
    const principal = principalOf(request);
    const { content, detail } = await findAnswer(principal, id, answerId);
    const given = await feedback.given(principal, detail ? [detail.request_id] : []);
    const mayAdd = hasRole(principal.role, "editor");
    const props = {
      path: `/chat/${id}/answers/${answerId}/feedback`,
      answerId,
      form: filled.form ?? filledWith(given.get(detail?.request_id ?? "")),
      datasets: mayAdd ? (await datasets.list({ limit: 100 })).data.map(({ name }) => name) : undefined,
      problems: filled.problems,
    };
    const status = filled.problems ? 422 : 200;
    if (!isHtmx(request)) {
      const frame = { request, principal, conversationId: id, answer: content };
      return page(<FeedbackPage {...props} {...frame} saved={filled.saved} />, status);
    }
    const { saved } = filled;
    if (!saved) return html(<FeedbackFields {...props} />, status);
    return html(<FeedbackKept conversationId={id} answerId={answerId} feedback={saved} />);
  };

  /** Throws not_found. */
  const findAnswer = async (principal: Principal, id: string, answerId: string) => {
    const { messages } = await conversations.get(principal, id);
    const answer = messages.find((message) => message.id === answerId && message.role === "assistant");
    if (answer) return answer;
    throw new AppError("not_found", "This answer does not exist, or it was replaced.");
  };

  const giveFeedback = async (
    request: Request,
    params: { id: string; answer: string },
    form: FeedbackForm,
  ): Promise<Response> => {
    const { rating } = form;
    if (rating !== "up" && rating !== "down") {
      return showFeedback(request, params, { form, problems: { rating: "Choose good or bad" } });
    }
    const principal = principalOf(request);
    const { detail } = await findAnswer(principal, params.id, params.answer);
    const [comment, correction, dataset] = [form.comment, form.correction, form.dataset].map((text) => text.trim());
    const texts = withoutEmpty({ comment, correction, dataset });
    const given = { request_id: detail?.request_id ?? "", rating, ...texts } as const;
    const saved = await feedback.give(principal, given, async () => {}, request.signal);
    return showFeedback(request, params, { saved });
  };

  return new Elysia({ name: "views.chat.feedback" })
    .guard({ detail: allows("member") })
    .get("/:id/answers/:answer/feedback", ({ request, params }) => showFeedback(request, params))
    .post(
      "/:id/answers/:answer/feedback",
      ({ request, params, body }) => giveFeedback(request, params, { ...filledWith(undefined), ...body }),
      {
        body: Type.Partial(FeedbackForm),
      },
    );
};

interface RateProps {
  conversationId: string;
  answerId: string;
  feedback?: Feedback;
}

/** Link to the feedback form, which opens below the answer if scripts are enabled. Also shows the user's rating. */
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
  /** Path to which the form is submitted. */
  path: string;
  answerId: string;
  form: FeedbackForm;
  /** Names of datasets that the answer may be added to; undefined if the user may not edit datasets. */
  datasets?: readonly string[];
  problems?: Problems;
}

/** The feedback form of an answer. Users who may edit datasets can also add the answer to a dataset. */
const FeedbackFields = ({ path, answerId, form, datasets, problems }: FeedbackProps) => {
  const { area, choice, text } = fieldsOf(form, problems);
  const id = (field: string) => `${field}-${answerId}`;
  const ratings = [
    { value: "up", label: "Good" },
    { value: "down", label: "Bad" },
  ];
  return (
    <form class="card form" {...posts(path, `#feedback-${answerId}`)} hx-disable="find button" novalidate>
      {choice("rating", "How good is this answer?", "radio", ratings, { id: id("rating") })}
      {area("comment", "Comment", { id: id("comment"), rows: 2, maxlength: 10_000 })}
      {area("correction", "Correct answer", { id: id("correction"), rows: 2, maxlength: MAX_CORRECTION })}
      {datasets && (
        <>
          {text("dataset", "Add to a dataset", {
            id: id("dataset"),
            hint: "Name of an existing or new dataset. Leave blank to save only the feedback",
            maxlength: 100,
            autocomplete: "off",
            list: id("datasets"),
          })}
          <datalist id={id("datasets")}>
            {datasets.map((name) => (
              <option value={name}></option>
            ))}
          </datalist>
        </>
      )}
      <div class="form-end">
        <button type="submit">Save feedback</button>
        <ButtonLink href={path.replace(/\/answers\/.*/, "")} text="Cancel" look="button secondary" />
      </div>
    </form>
  );
};

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
const FeedbackKept = ({ feedback, ...place }: RateProps & { feedback: Feedback }) => (
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

/** The feedback form on a separate page, for users without scripts. */
const FeedbackPage = ({ conversationId, answer, saved, request, principal, ...form }: FeedbackPageProps) => (
  <Screen
    request={request}
    principal={principal}
    title={form.problems ? "Error: Feedback" : "Feedback"}
    heading="Feedback on an answer"
    trail={[{ path: `/chat/${conversationId}`, name: "Back to the chat" }]}
  >
    <p class="verbatim card">{answer}</p>
    <div id={`feedback-${form.answerId}`}>
      {saved ? <FeedbackSaved feedback={saved} /> : <FeedbackFields {...form} />}
    </div>
  </Screen>
);
