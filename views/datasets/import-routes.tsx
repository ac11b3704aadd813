import { Elysia, t } from "elysia";
import { type Dataset, DatasetForm, RevisionForm } from "../../gateway/datasets/contract";
import type { ImportTarget } from "../../gateway/datasets/import-job";
import type { ImportView } from "../../gateway/datasets/imports";
import { beginSampleDataset } from "../../gateway/datasets/sample-dataset";
import { principalOf } from "../../gateway/http/auth";
import { ownBody } from "../../gateway/http/body";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, reads } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { receiveForm } from "../../gateway/uploads/multipart";
import { AppError, toAppError } from "../../lib/errors";
import { frameOf } from "../layout";
import { html, isHtmx, page, redirect } from "../ui/html";
import { type ImportForm, nameOf, noFile, PreviewPage, Reading, ReadingPage, UploadPage } from "./import";
import { mappingProblem, readMapping } from "./mapping";

/** How long a response waits for the worker. Most files are read faster, so the user sees no progress page. */
const PATIENCE_MS = 500;

type Refused = Pick<AppError, "status" | "message"> & Partial<Pick<AppError, "detail">>;

/** Routes for importing a file: upload, read, preview, then store the rows or read again with other columns. */
export const importPageRoutes = ({
  config,
  datasets,
  imports,
  uploads,
}: Pick<Services, "config" | "datasets" | "imports" | "uploads">) => {
  /** The upload form, with the reason why the last file was rejected. */
  const uploadPage = (request: Request, dataset?: Dataset, refused?: Refused) => {
    const props = { ...frameOf(request), dataset, maxBytes: config.datasets.maxUploadBytes };
    return page(<UploadPage {...props} problems={refused && { file: refused.message }} />, refused?.status, {
      ...refused?.detail?.headers,
    });
  };

  /** Stores the uploaded file and starts to read it. The user decides afterwards what to do with it. */
  const receive = async (request: Request, datasetId?: string): Promise<Response> => {
    const frame = frameOf(request);
    const dataset = datasetId === undefined ? undefined : await datasets.get(datasetId);
    try {
      const { file: upload } = await receiveForm(ownBody(exchangeOf(request)), uploads, frame.principal);
      if (upload?.sizeBytes === 0) await uploads.discard(upload.id);
      if (!upload || upload.sizeBytes === 0) {
        return uploadPage(request, dataset, new AppError("dataset_invalid", noFile(upload?.fileName)));
      }
      const target: ImportTarget = dataset
        ? { mode: "replace", datasetId: dataset.id }
        : { mode: "create", name: nameOf(upload.fileName), description: "", schema: null };
      const { job } = await imports.preview(frame.principal, upload, target);
      return redirect(request, `/datasets/imports/${job}`);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.kind !== "payload_too_large" && error.kind !== "invalid_request") throw thrown;
      return uploadPage(request, dataset, error);
    }
  };

  const showImport = async (
    request: Request,
    view: ImportView,
    form: Partial<ImportForm> = {},
    problems: Record<string, string> = {},
  ): Promise<Response> => {
    const frame = frameOf(request);
    const { target, fileName, options } = view.payload;
    const dataset = target.mode === "create" ? undefined : await datasets.get(target.datasetId);
    const props = { ...frame, job: view.job, fileName: fileName ?? "upload", dataset };
    if (view.state === "cancelled") return redirect(request, "/datasets?done=stopped");
    const isDone = view.error !== undefined || view.result !== undefined;
    // The worker is done, so htmx loads the whole page.
    if (isDone && isHtmx(request)) return redirect(request, `/datasets/imports/${view.job}`);
    if (view.error) return uploadPage(request, dataset, view.error);
    if (!view.result) {
      const reading = { job: view.job, progress: view.progress, isStoring: !options.dryRun };
      return isHtmx(request) ? html(<Reading {...reading} />) : page(<ReadingPage {...props} {...reading} />);
    }
    const { outcome, datasetId, report } = view.result;
    if (report.columns.length === 0) {
      const [error] = report.errors;
      const message = error ? `Line ${error.line}: ${error.message}` : "The file has no rows.";
      return uploadPage(request, dataset, { status: 422, message });
    }
    if (outcome === "stored" || outcome === "unchanged") {
      return redirect(request, `/datasets/${datasetId}?done=${outcome}`);
    }
    const filled: ImportForm = {
      name: target.mode === "create" ? target.name : "",
      mode: target.mode === "merge" ? "merge" : "replace",
      onError: "skip",
      mapping: report.mapping,
      ...form,
    };
    const isRefused = Object.keys(problems).length > 0;
    const isReread = new URL(request.url).searchParams.has("reread");
    return page(<PreviewPage {...props} {...{ report, problems, isReread }} form={filled} />, isRefused ? 422 : 200);
  };

  const decide = async (
    request: Request,
    view: ImportView,
    body: Readonly<Record<string, string>>,
  ): Promise<Response> => {
    const { result } = view;
    if (!result) return redirect(request, `/datasets/imports/${view.job}`);
    if (body.action === "store" && body.onError === "refuse") {
      const { target } = view.payload;
      return redirect(request, target.mode === "create" ? "/datasets/new" : `/datasets/${target.datasetId}/upload`);
    }
    const principal = principalOf(request);
    const form = {
      name: (body.name ?? "").trim(),
      mode: body.mode === "merge" ? "merge" : "replace",
      // Rows are left out only if the user chose to.
      onError: body.onError === "skip" ? "skip" : "refuse",
      mapping: readMapping(result.report.columns, body),
    } as const;
    const problem = mappingProblem(form.mapping);
    if (problem) return showImport(request, view, form, { mapping: problem });
    try {
      const decision = { ...form, stores: body.action === "store" };
      const { job, isReread } = await imports.decide(principal, { ...view, result }, decision);
      return redirect(request, `/datasets/imports/${job}${isReread ? "?reread" : ""}`);
    } catch (thrown) {
      const { message, detail } = toAppError(thrown);
      if (detail.param !== "name" && detail.param !== "onError") throw thrown;
      return showImport(request, view, form, { [detail.param]: message });
    }
  };

  return new Elysia({ name: "views.datasets.imports" })
    .guard({ detail: allows("editor") })
    .get("/new", ({ request }) => uploadPage(request))
    .post("/upload", ({ request }) => receive(request), { detail: reads(DatasetForm) })
    .post("/sample", async ({ request }) => {
      const begun = await beginSampleDataset({ datasets, imports, uploads }, principalOf(request));
      return redirect(request, "job" in begun ? `/datasets/imports/${begun.job}` : `/datasets/${begun.dataset}`);
    })
    .get("/imports/:job", async ({ request, params }) => {
      const patienceMs = isHtmx(request) ? 0 : PATIENCE_MS;
      return showImport(request, await imports.find(principalOf(request), params.job, patienceMs));
    })
    .post(
      "/imports/:job",
      async ({ request, params, body }) => {
        const view = await imports.find(principalOf(request), params.job);
        return decide(request, view, body);
      },
      { body: t.Record(t.String(), t.String({ maxLength: 1000 })) },
    )
    .post("/imports/:job/cancel", async ({ request, params }) => {
      await imports.cancel(principalOf(request), params.job);
      return redirect(request, `/datasets/imports/${params.job}`);
    })
    .get("/:id/upload", async ({ request, params }) => uploadPage(request, await datasets.get(params.id)))
    .post("/:id/upload", ({ request, params }) => receive(request, params.id), {
      detail: reads(RevisionForm),
    });
};
