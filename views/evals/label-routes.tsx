import { Elysia, t } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import type { Problems } from "../ui/fields";
import { Fields, text } from "../ui/form";
import { page, redirect } from "../ui/html";
import { withoutEmpty, withQuery } from "../ui/lists";
import { type FilledLabel, giveLabels, readLabel } from "./filled-label";
import { LabelPage, MAX_SKIPPED_COUNTED } from "./label";

const DEFAULT_METRIC = "correctness";

interface LabelQuery {
  metric?: string;
  run?: string;
  /** Id of the previous result in the queue. */
  before?: string;
  /** Id of the result that has just been labelled. */
  last?: string;
}

/** A label that was refused, and why. */
interface Refused {
  resultId: string;
  filled: FilledLabel;
  problems: Problems;
}

/** `/evals/label`: a queue of answers that are labelled before their scores are shown. */
export const labelPageRoutes = ({ agreement, evals, labels }: Pick<Services, "agreement" | "evals" | "labels">) => {
  /** A result with the criterion it is labelled by; undefined if nothing scored it by that criterion. */
  const judgedBy = async (metric: string, id: string | undefined) => {
    if (id === undefined) return undefined;
    const criterion = (await labels.criteria(id)).find(({ name }) => name === metric);
    return criterion && { result: (await evals.result(id)).result, criterion };
  };

  const labelled = async ({ keyId }: Principal, metric: string, id: string | undefined) => {
    const judged = await judgedBy(metric, id);
    const label = judged?.result.labels.find((own) => own.labelled_by === keyId && own.metric === metric);
    return judged && label && { ...judged, label };
  };

  const showNext = async (request: Request, query: LabelQuery, refused?: Refused): Promise<Response> => {
    const principal = principalOf(request);
    const metric = query.metric || DEFAULT_METRIC;
    const { run: runId, before, last } = withoutEmpty(query);
    const waiting = { metric, runId };
    const id = refused?.resultId ?? (await labels.queue(principal, { ...waiting, before, limit: 1 }))[0];
    const next = await judgedBy(metric, id);
    const isEnd = next === undefined && before !== undefined;
    const props = {
      request,
      principal,
      metric,
      metrics: [...new Set([DEFAULT_METRIC, ...(await agreement.metrics()), metric])],
      run: runId,
      agreement: await agreement.withPeople({ metric }),
      next,
      last: await labelled(principal, metric, last),
      skipped: isEnd ? (await labels.queue(principal, { ...waiting, limit: MAX_SKIPPED_COUNTED })).length : 0,
      filled: refused?.filled,
      problems: refused?.problems,
    };
    return page(<LabelPage {...props} />, refused ? 422 : 200);
  };

  return new Elysia({ name: "views.evals.label", prefix: "/evals/label" })
    .get("", ({ request, query }) => showNext(request, query), {
      query: Fields({ metric: text(64), run: text(100), before: text(100), last: text(100) }),
      detail: allows("editor"),
    })
    .post(
      "",
      async ({ request, body }) => {
        const { metric, result: resultId, run, skip } = body;
        const next = { metric, run: run || undefined, before: resultId };
        if (skip !== undefined) return redirect(request, withQuery("/evals/label", next));
        const missing = "Choose one, or skip this answer";
        const filled = readLabel(body, metric);
        const giving = { labels, principal: principalOf(request), resultId, blind: true, missing };
        const problems = await giveLabels(giving, [filled]);
        if (problems) return showNext(request, next, { resultId, filled, problems });
        return redirect(request, withQuery("/evals/label", { ...next, last: resultId }));
      },
      {
        body: Fields({
          metric: t.String({ maxLength: 64 }),
          result: t.String({ maxLength: 100 }),
          run: text(100),
          skip: text(100),
        }),
        detail: allows("editor"),
      },
    );
};
