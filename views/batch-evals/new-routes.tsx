import { type Static, Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { onceFor } from "../asking";
import { createNewForm, type FormServices } from "../evals/form";
import { frameOf } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { html, isHtmx, page, redirect } from "../ui/html";
import { withoutEmpty } from "../ui/lists";
import { EstimateContent, type EstimateProps } from "./estimate";
import { EMPTY_RUN, filledWith, problemsOf, RunFields, type RunForm, readRunForm, toRunForm } from "./form";
import { NewRunPage, TagFields } from "./new";

const MANY = 100;
const WHOLE_PAGE = { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerMorph" };

const NewQuery = Fields({ run: text(100), dataset: text(100), revision: text(10) });
const RunBody = Type.Partial(
  Type.Object({ ...RunFields.properties, once: t.String({ maxLength: 100 }) }, { additionalProperties: true }),
);

type NewRunServices = FormServices & Pick<Services, "batchEvals" | "idempotency">;

/** `/batch-evals/new`: the form for a run, its estimate, and the start of the run. */
export const newRunRoutes = (services: NewRunServices) => {
  const { batchEvals, datasets, evaluators, idempotency } = services;
  const newForm = createNewForm(services);

  const choicesFor = async (principal: Principal, form: RunForm) => {
    const choices = await newForm.choices(principal);
    if (form.dataset === "" || choices.datasets.some(({ id }) => id === form.dataset)) return choices;
    const chosen = await datasets.get(form.dataset).catch(() => undefined);
    return chosen ? { ...choices, datasets: [chosen, ...choices.datasets] } : choices;
  };

  const estimateOf = async (principal: Principal, form: RunForm): Promise<EstimateProps & { problems?: Problems }> => {
    const read = readRunForm(form);
    if ("problems" in read) return withProblem(read.problems);
    const { max_concurrency, max_error_share, name, tags, ...plan } = read.request;
    try {
      return { plan: await batchEvals.plan(principal, plan) };
    } catch (thrown) {
      const problems = problemsOf(toAppError(thrown), form);
      if (!problems) throw thrown;
      return withProblem(problems);
    }
  };

  const showForm = async (
    request: Request,
    form: RunForm,
    { problems, ...estimate }: EstimateProps & { problems?: Problems } = {},
  ): Promise<Response> => {
    const choices = await choicesFor(principalOf(request), form);
    const props = { ...frameOf(request), form, choices, once: Bun.randomUUIDv7(), problems, estimate };
    // The form replaces the whole page, although htmx may target a part of it. Typed text is kept.
    const headers = isHtmx(request) ? WHOLE_PAGE : undefined;
    return page(<NewRunPage {...props} />, problems ? 422 : 200, headers);
  };

  /** A new form: empty, for a dataset, or with the settings of an earlier run. */
  const newRun = async (request: Request, { run, ...query }: Static<typeof NewQuery>): Promise<Response> => {
    const { data } = await evaluators.list({ limit: MANY });
    const active = data.flatMap(({ name, active: version }) => (version ? [`${name}@${version.version}`] : []));
    const shadows = data.flatMap(({ name, shadow }) => (shadow ? [`${name}@${shadow.version}`] : []));
    const first = { evaluators: active, shadows, ...withoutEmpty(query) };
    return showForm(request, {
      ...EMPTY_RUN,
      ...(run ? filledWith(await batchEvals.get(principalOf(request), run)) : first),
    });
  };

  /** The tags of a dataset that was chosen in the form. Chosen tags that it doesn't have are dropped. */
  const showTags = async (query: URLSearchParams): Promise<Response> => {
    const id = query.get("dataset") ?? "";
    const dataset = id === "" ? undefined : await datasets.get(id);
    const tag = query.getAll("tag").filter((name) => dataset?.tags.includes(name));
    return html(<TagFields form={{ ...EMPTY_RUN, tag, tags: query.get("tags") ?? "" }} dataset={dataset} />);
  };

  const start = async (request: Request, { once, ...body }: Static<typeof RunBody>): Promise<Response> => {
    const principal = principalOf(request);
    const form = toRunForm(body);
    const read = readRunForm(form);
    if ("problems" in read) return showForm(request, form, withProblem(read.problems));
    try {
      const run = await idempotency.once(onceFor(request, once), principal, read.request, (seal) =>
        batchEvals.start(principal, read.request, seal),
      );
      return redirect(request, `/batch-evals/${run.id}?done=started`);
    } catch (thrown) {
      const problems = problemsOf(toAppError(thrown), form);
      if (!problems) throw thrown;
      return showForm(request, form, withProblem(problems));
    }
  };

  return new Elysia({ name: "views.batch-evals.new", prefix: "/batch-evals" }).guard(
    { detail: allows("editor") },
    (app) =>
      app
        .get("/new", ({ request, query }) => newRun(request, query), { query: NewQuery })
        .get("/tags", ({ request }) => showTags(new URL(request.url).searchParams))
        .post("", ({ request, body }) => start(request, body), { body: RunBody })
        .post(
          "/check",
          async ({ request, body }) => {
            const form = toRunForm(body);
            return showForm(request, form, await estimateOf(principalOf(request), form));
          },
          { body: RunBody },
        )
        .post(
          "/estimate",
          async ({ request, body }) => {
            const { plan, problem } = await estimateOf(principalOf(request), toRunForm(body));
            return html(<EstimateContent plan={plan} problem={problem} />);
          },
          { body: RunBody },
        ),
  );
};

/** The problems of a form. The first one takes the place of the estimate. */
const withProblem = (problems: Problems) => ({ problems, problem: Object.values(problems)[0] });
