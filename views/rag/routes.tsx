import { Elysia, t } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { ownBody } from "../../gateway/http/body";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, reads } from "../../gateway/http/route-facts";
import { DocumentsForm } from "../../gateway/rag/indexes/contract";
import { readDocumentsRequest } from "../../gateway/rag/indexes/read-request";
import type { Services } from "../../gateway/services";
import { toAppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import { frameOf, may } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { readPage, readSort, withoutEmpty, withQuery } from "../ui/lists";
import { count } from "../ui/parts";
import { type AskServices, askRoutes } from "./ask/routes";
import {
  emptyIndexForm,
  IndexFields,
  type IndexForm,
  NewIndexPage,
  readName,
  readVersion,
  versionForm,
} from "./indexes/create";
import { type DocumentServices, documentRoutes } from "./indexes/document-routes";
import { IndexPage, Progress } from "./indexes/index-page";
import { IndexesPage } from "./indexes/list";
import { LISTED } from "./indexes/progress";
import { type QualityServices, qualityRoutes } from "./quality/routes";
import { RetrievalFields, type RetrievalForm, readRetrieval, retrievalForm } from "./settings";
import { DOCUMENT_STATES } from "./words";

const PAGE_LENGTH = 50;
const VERSIONS = 20;
const INDEX_SORTS = ["name", "documents", "updated"] as const;
const DOCUMENT_SORTS = ["title", "chunks", "updated"] as const;

const NOTICES: Readonly<Record<string, string>> = {
  created: "Index created. Add the first documents.",
  saved: "Settings saved. The next question uses them.",
  building: "The new version is being built. The active one keeps answering.",
  threshold: "Threshold changed. The next question uses it.",
  activated: "Switched. The next question uses this version.",
  cancelled: "Cancelled. Documents that were finished are searchable.",
  removed: "Document deleted.",
  deleted: "Index deleted.",
};

const IndexQuery = Fields({
  search: text(200),
  state: text(20),
  sort: text(20),
  page: text(10),
  done: text(20),
  added: text(10),
  replaced: text(10),
  unchanged: text(10),
});
type IndexQuery = typeof IndexQuery.static;

/** "2 files added, 1 replaced, 3 unchanged." after an upload, or the notice of another action. */
const noticeOf = ({ done, added, replaced, unchanged }: IndexQuery): string => {
  const outcomes = Object.entries({ added, replaced, unchanged }).filter(([, files]) => /^\d+$/.test(files ?? ""));
  if (outcomes.length === 0) return ownValue(NOTICES, done ?? "") ?? "";
  return `${outcomes.map(([what, files], at) => `${at === 0 ? count(Number(files), "file") : files} ${what}`).join(", ")}.`;
};

export type RagPageServices = AskServices &
  DocumentServices &
  QualityServices &
  Pick<Services, "uploads"> & {
    indexes: Pick<Services["indexes"], "create" | "defaults" | "listNumbered" | "remove">;
    indexVersions: Pick<Services["indexVersions"], "list" | "build" | "activate">;
    documents: Pick<Services["documents"], "listNumbered" | "listIngested" | "submit" | "cancel">;
    sampleIndex: Services["sampleIndex"];
  };

/** `/rag`: indexes, their documents, and the pages that ask them questions. */
export const ragPageRoutes = (services: RagPageServices) => {
  const { indexes, documents, indexVersions, uploads, sampleIndex } = services;
  const { maxUploadBytes: maxBytes } = services.config.datasets;

  const listOf = async (request: Request, id: string, given: IndexQuery) => {
    const principal = principalOf(request);
    const { search, state: wanted, sort: by } = given;
    const state = DOCUMENT_STATES.find(({ value }) => value === wanted)?.value;
    const sort = readSort(by, DOCUMENT_SORTS, { by: "updated", isDescending: true });
    const numbered = { page: readPage(given.page), pageLength: PAGE_LENGTH, sort };
    const [index, found, ingested, { data: versions }] = await Promise.all([
      indexes.get(principal, id),
      documents.listNumbered(principal, id, { ...numbered, ...withoutEmpty({ search, state }) }),
      documents.listIngested(principal, id, LISTED),
      indexVersions.list(principal, id, { limit: VERSIONS }),
    ]);
    return { index, page: found, ingested, versions, sort, query: withoutEmpty({ search, state, sort: by }) };
  };

  const showIndex = async (
    request: Request,
    id: string,
    query: IndexQuery,
    refused?: { form?: Partial<IndexForm & RetrievalForm>; problems: Problems },
  ): Promise<Response> => {
    const { models } = indexes.defaults(principalOf(request));
    const props = { ...frameOf(request), ...(await listOf(request, id, query)), models, maxBytes, ...refused };
    return page(<IndexPage {...props} notice={noticeOf(query)} />, refused ? 422 : 200);
  };

  const showNew = (request: Request, form?: IndexForm, problems?: Problems): Promise<Response> => {
    const defaults = indexes.defaults(principalOf(request));
    const props = { ...frameOf(request), form: form ?? emptyIndexForm(defaults), models: defaults.models, problems };
    return page(<NewIndexPage {...props} />, problems ? 422 : 200);
  };

  const create = async (request: Request, form: IndexForm): Promise<Response> => {
    const version = readVersion(form);
    const problems = { ...readName(form), ...("problems" in version && version.problems) };
    if ("problems" in version || Object.keys(problems).length > 0) return showNew(request, form, problems);
    const { description } = form;
    try {
      const named = { name: form.name.trim(), ...(description.trim() && { description: description.trim() }) };
      const { id } = await indexes.create(principalOf(request), { ...named, ...version.request });
      return redirect(request, `/rag/${id}?done=created`);
    } catch (thrown) {
      return showNew(request, form, problemOf(thrown));
    }
  };

  const receive = async (request: Request, id: string): Promise<Response> => {
    const exchange = exchangeOf(request);
    try {
      const principal = principalOf(request);
      const sent = await readDocumentsRequest(ownBody(exchange), uploads, principal);
      const added = await documents.submit(principal, id, sent, (make) => make(async () => {}));
      const number = (wanted: string) => added.documents.filter(({ outcome }) => outcome === wanted).length;
      const counts = { added: number("added"), replaced: number("replaced"), unchanged: number("unchanged") };
      return redirect(request, withQuery(`/rag/${id}`, counts));
    } catch (thrown) {
      const { kind, message } = toAppError(thrown);
      if (kind !== "payload_too_large" && kind !== "invalid_request") throw thrown;
      return showIndex(request, id, {}, { problems: { files: message } });
    }
  };

  const saveSettings = async (
    request: Request,
    id: string,
    body: Partial<IndexForm & RetrievalForm>,
  ): Promise<Response> => {
    const principal = principalOf(request);
    const index = await indexes.get(principal, id);
    const { name, description, ...retrieval } = {
      name: index.name,
      description: index.description,
      ...retrievalForm(index.retrieval),
      ...body,
    };
    const read = readRetrieval(retrieval, index.retrieval);
    const problems = { ...readName({ name, description }), ...("problems" in read && read.problems) };
    if ("problems" in read || Object.keys(problems).length > 0)
      return showIndex(request, id, {}, { form: body, problems });
    try {
      const named = { name: name.trim(), description: description.trim() };
      await indexes.update(principal, id, { ...named, retrieval: read.settings });
    } catch (thrown) {
      return showIndex(request, id, {}, { form: body, problems: problemOf(thrown) });
    }
    return redirect(request, `/rag/${id}?done=saved`);
  };

  return new Elysia({ name: "views.rag", prefix: "/rag" })
    .use(askRoutes(services))
    .use(documentRoutes(services))
    .use(qualityRoutes(services))
    .get(
      "",
      async ({ request, query }) => {
        const sort = readSort(query.sort, INDEX_SORTS, { by: "updated", isDescending: true });
        const numbered = { page: readPage(query.page), pageLength: PAGE_LENGTH, sort };
        const found = await indexes.listNumbered(principalOf(request), numbered);
        const props = { page: found, sort, query: withoutEmpty({ sort: query.sort }) };
        return page(<IndexesPage {...frameOf(request)} {...props} notice={noticeOf(query)} />);
      },
      { query: IndexQuery, detail: allows("viewer") },
    )
    .get("/:id", ({ request, params, query }) => showIndex(request, params.id, query), {
      query: IndexQuery,
      detail: allows("viewer"),
    })
    .get(
      "/:id/progress",
      async ({ request, params, query }) => {
        if (!isHtmx(request)) return redirect(request, withQuery(`/rag/${params.id}`, query));
        const list = await listOf(request, params.id, query);
        return html(<Progress {...list} mayWrite={may(frameOf(request), "editor")} />);
      },
      { query: IndexQuery, detail: allows("viewer") },
    )
    .guard({ detail: allows("editor") })
    .get("/new", ({ request }) => showNew(request))
    .post(
      "",
      ({ request, body }) => create(request, { ...emptyIndexForm(indexes.defaults(principalOf(request))), ...body }),
      {
        body: IndexFields,
      },
    )
    .post("/sample", async ({ request }) => {
      const { id } = await sampleIndex.open(principalOf(request));
      return redirect(request, `/rag/${id}`);
    })
    .post("/:id/documents", ({ request, params }) => receive(request, params.id), { detail: reads(DocumentsForm) })
    .post("/:id/cancel", async ({ request, params }) => {
      await documents.cancel(principalOf(request), params.id).catch(unlessEnded);
      return isHtmx(request)
        ? new Response(null, { status: 204, headers: PAGE_HEADERS })
        : redirect(request, `/rag/${params.id}?done=cancelled`);
    })
    .post("/:id/settings", ({ request, params, body }) => saveSettings(request, params.id, body), {
      body: t.Intersect([RetrievalFields, IndexFields]),
    })
    .post(
      "/:id/versions",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const { active } = await indexes.get(principal, params.id);
        const form = { ...versionForm(active), ...body };
        const read = readVersion(form);
        if ("problems" in read) return showIndex(request, params.id, {}, { form, problems: read.problems });
        try {
          await indexVersions.build(principal, params.id, read.request);
        } catch (thrown) {
          return showIndex(request, params.id, {}, { form, problems: problemOf(thrown) });
        }
        return redirect(request, `/rag/${params.id}?done=building`);
      },
      { body: IndexFields },
    )
    .post(
      "/:id/versions/:version/activate",
      async ({ request, params }) => {
        await indexVersions.activate(principalOf(request), params.id, params.version);
        return redirect(request, `/rag/${params.id}?done=activated`);
      },
      { params: t.Object({ id: t.String(), version: t.Numeric({ minimum: 1, multipleOf: 1 }) }) },
    )
    .post(
      "/:id/delete",
      async ({ request, params, body }) => {
        const index = await indexes.get(principalOf(request), params.id);
        if (body.confirm.trim() !== index.name) {
          const problems = { confirm: `Type the name of the index, “${index.name}”, to delete it` };
          return showIndex(request, params.id, {}, { problems });
        }
        await indexes.remove(principalOf(request), index.id);
        return redirect(request, "/rag?done=deleted");
      },
      { body: Fields({ confirm: t.String({ maxLength: 1000 }) }) },
    );
};

/** The form field, and its label, for each field of the API. */
const FIELDS: Readonly<Record<string, readonly [field: string, name: string]>> = {
  name: ["name", "Name"],
  embedding_model: ["model", "Embedding model"],
  "chunking.chunk_tokens": ["chunkTokens", "Chunk size"],
  "chunking.overlap_tokens": ["overlapTokens", "Overlap"],
};

/** Ignores the error for an ingestion that ended before it could be cancelled. */
const unlessEnded = (thrown: unknown): void => {
  if (toAppError(thrown).kind !== "conflict") throw thrown;
};

/** The error of a field; other errors are thrown. */
const problemOf = (thrown: unknown): Problems => {
  const { message, detail } = toAppError(thrown);
  const { param = "" } = detail;
  const [field, name] = ownValue(FIELDS, param) ?? [];
  if (field === undefined) throw thrown;
  return { [field]: message.startsWith(param) ? `${name}${message.slice(param.length)}` : message };
};
