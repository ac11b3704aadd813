import { Elysia, t } from "elysia";
import type { RevisionDetail } from "../../gateway/datasets/contract";
import { exportRevision } from "../../gateway/datasets/writers";
import { principalOf } from "../../gateway/http/auth";
import { download } from "../../gateway/http/download";
import { allows } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { ownValue } from "../../lib/own-value";
import { frameOf } from "../layout";
import { Fields, text } from "../ui/fields";
import { page, redirect } from "../ui/html";
import { readPage, readSort, withoutEmpty } from "../ui/lists";
import { count } from "../ui/parts";
import { DatasetPage, type SampleFilter, SamplePage } from "./dataset";
import { importPageRoutes } from "./import-routes";
import { DatasetsPage } from "./list";

const PAGE_LENGTH = 50;
const SORTS = ["name", "samples", "changed"] as const;
const REVISIONS = 50;

const NOTICES: Readonly<Record<string, string>> = {
  stored: "Saved. This revision won’t change.",
  unchanged: "No changes: this file matches the latest revision.",
  deleted: "Dataset deleted. Runs that used it keep their samples.",
  stopped: "Stopped. Nothing was stored.",
};

const revision = t.Optional(t.Numeric({ minimum: 1, multipleOf: 1 }));
const done = t.Optional(t.String({ maxLength: 20 }));

/** `/datasets`: the list and each dataset's page. Uploads are in `import-routes.tsx`. */
export const datasetPageRoutes = ({
  config,
  datasets,
  imports,
  uploads,
}: Pick<Services, "config" | "datasets" | "imports" | "uploads">) => {
  const showDataset = async (
    request: Request,
    id: string,
    query: Omit<SampleFilter, "revision"> & { revision?: number; page?: string; done?: string },
    problems = {},
  ) => {
    const { done: notice, revision: number, page: pageNumber, ...words } = query;
    const filter: SampleFilter = { ...words, revision: number === undefined ? undefined : String(number) };
    const dataset = await datasets.get(id);
    const shown = await datasets.revisionDetail(id, number);
    const { data: revisions } = await datasets.revisions(id, { limit: REVISIONS });
    const samples = await datasets.samplesNumbered(id, {
      page: readPage(pageNumber),
      pageLength: PAGE_LENGTH,
      revision: number,
      tag: filter.tag || undefined,
      search: filter.q || undefined,
    });
    const props = { ...frameOf(request), dataset, revisions, samples, problems, shown };
    const isRefused = Object.keys(problems).length > 0;
    return page(
      <DatasetPage {...props} filter={withoutEmpty(filter)} notice={noticeOf(notice, shown)} />,
      isRefused ? 422 : 200,
    );
  };

  return new Elysia({ name: "views.datasets", prefix: "/datasets" })
    .use(importPageRoutes({ config, datasets, imports, uploads }))
    .get(
      "",
      async ({ request, query }) => {
        const { done: notice, page: pageNumber, ...filter } = query;
        const sort = readSort(filter.sort, SORTS, { by: "changed", isDescending: true });
        const numbered = { page: readPage(pageNumber), pageLength: PAGE_LENGTH, sort };
        const props = {
          ...frameOf(request),
          page: await datasets.listNumbered({ ...numbered, search: filter.q || undefined }),
          sort,
          query: withoutEmpty(filter),
          notice: ownValue(NOTICES, notice ?? "") ?? "",
        };
        return page(<DatasetsPage {...props} />);
      },
      { query: Fields({ q: text(200), sort: text(20), page: text(10), done }), detail: allows("viewer") },
    )
    .get("/:id", ({ request, params, query }) => showDataset(request, params.id, query), {
      query: Fields({ q: text(200), tag: text(64), revision, page: text(10), done }),
      detail: allows("viewer"),
    })
    .get(
      "/:id/samples/:key",
      async ({ request, params, query }) => {
        const { dataset, revision } = await datasets.revision(params.id, query.revision);
        const sample = await datasets.sample(params.id, params.key, revision.revision);
        const props = { ...frameOf(request), dataset, sample, revision: revision.revision };
        return page(<SamplePage {...props} />);
      },
      { query: Fields({ revision }), detail: allows("viewer") },
    )
    .get("/:id/export", async ({ params, query }) => download(await exportRevision(datasets, params.id, query)), {
      query: Fields({
        format: t.Optional(t.Union([t.Literal("jsonl"), t.Literal("csv")])),
        revision,
      }),
      detail: allows("viewer"),
    })
    .post(
      "/:id/delete",
      async ({ request, params, body }) => {
        const dataset = await datasets.get(params.id);
        if (body.confirm.trim() !== dataset.name.trim()) {
          const problems = { confirm: `Type the name of the dataset, “${dataset.name}”, to delete it` };
          return showDataset(request, params.id, {}, problems);
        }
        await datasets.remove(principalOf(request), dataset.id);
        return redirect(request, "/datasets?done=deleted");
      },
      { body: Fields({ confirm: t.String({ maxLength: 1000 }) }), detail: allows("editor") },
    );
};

/** The notice after an action. For a stored revision, it includes the number of rows that were left out. */
const noticeOf = (done: string | undefined, { report }: RevisionDetail): string => {
  const notice = ownValue(NOTICES, done ?? "") ?? "";
  if (done !== "stored" || !report?.rejected) return notice;
  const rows = count(report.rejected, "row");
  return `${notice} ${rows} that can’t be used ${report.rejected === 1 ? "was" : "were"} left out.`;
};
