import { Elysia, t } from "elysia";
import { decodeText } from "../../../gateway/datasets/reading/text";
import { principalOf } from "../../../gateway/http/auth";
import { ownBody } from "../../../gateway/http/body";
import { exchangeOf } from "../../../gateway/http/exchange";
import { allows, reads, runsLong } from "../../../gateway/http/route-facts";
import type { IndexVersion, RagIndex } from "../../../gateway/rag/indexes/contract";
import { type QuestionFile, readQuestions } from "../../../gateway/rag/quality/read-questions";
import { Threshold } from "../../../gateway/retrieval-contract";
import type { Services } from "../../../gateway/services";
import { readForm } from "../../../gateway/uploads/multipart";
import { refuseBadText } from "../../../gateway/validation/json";
import { AppError, toAppError } from "../../../lib/errors";
import { pageCallOf } from "../../asking";
import { frameOf } from "../../layout";
import { Fields, type Problems, text } from "../../ui/fields";
import { html, isHtmx, page, redirect } from "../../ui/html";
import { count } from "../../ui/parts";
import { MAX_KIB, MAX_QUESTIONS, type Measured, type QualityForm, QualityPage, Results } from "./page";

/** Versions that the form offers: an index keeps only a few searchable ones. */
const VERSIONS = 20;
const MEASURE = /^(\d{1,6})(?::(\d{1,6}))?$/;

const QuestionsForm = t.Object({ file: t.Optional(t.File()), questions: text(MAX_KIB * 1024), measure: text(20) });

export interface QualityServices extends Pick<Services, "config"> {
  indexes: Pick<Services["indexes"], "get" | "update">;
  indexVersions: Pick<Services["indexVersions"], "list">;
  retrievalQuality: Pick<Services["retrievalQuality"], "calibrate" | "compare">;
}

interface Shown {
  form: Partial<QualityForm>;
  problems?: Problems;
  measured?: Measured;
}

/** `/rag/:id/quality`: calibrating an index, and comparing two of its versions. */
export const qualityRoutes = ({ config, indexes, indexVersions, retrievalQuality }: QualityServices) => {
  const show = async (request: Request, index: RagIndex, { form, problems, measured }: Shown): Promise<Response> => {
    if (measured && isHtmx(request)) return html(<Results index={index} measured={measured} />);
    const { data } = await indexVersions.list(principalOf(request), index.id, { limit: VERSIONS });
    const versions = data.filter(({ state }: IndexVersion) => state === "ready" || state === "active");
    const filled = { questions: "", measure: String(index.active.version), ...form };
    // A rejected form is rendered again as a whole.
    const headers: Record<string, string> =
      problems && isHtmx(request) ? { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerMorph" } : {};
    const props = { ...frameOf(request), index, versions, form: filled, problems, measured, notice: "" };
    return page(<QualityPage {...props} />, problems ? 422 : 200, headers);
  };

  const measure = async (request: Request, id: string, form: QualityForm, file: QuestionFile): Promise<Measured> => {
    const call = pageCallOf(request);
    const { questions } = file;
    const [, a, b] = MEASURE.exec(form.measure) ?? [];
    if (b !== undefined) {
      const comparison = await retrievalQuality.compare(call, id, { questions, a: Number(a), b: Number(b) });
      return { kind: "compared", comparison };
    }
    const version = Number(a);
    const calibration = await retrievalQuality.calibrate(call, id, { questions, version });
    return { kind: "calibrated", version, calibration };
  };

  const receive = async (request: Request, id: string): Promise<Response> => {
    const index = await indexes.get(principalOf(request), id);
    const sent = await readSent(request);
    const form = { measure: String(index.active.version), ...sent.form };
    if ("problems" in sent) return show(request, index, sent);
    const read = await readFile(form.questions, config.datasets);
    if ("problems" in read) return show(request, index, { form, ...read });
    try {
      return await show(request, index, { form, measured: await measure(request, index.id, form, read) });
    } catch (thrown) {
      const problem = problemOf(thrown, read);
      if (problem === undefined) throw thrown;
      return show(request, index, { form, problems: { questions: problem } });
    }
  };

  return new Elysia({ name: "views.rag.quality" })
    .guard({ detail: allows("editor") })
    .get(
      "/:id/quality",
      async ({ request, params, query }) =>
        show(request, await indexes.get(principalOf(request), params.id), {
          form: query.measure ? { measure: query.measure } : {},
        }),
      { query: Fields({ measure: text(20) }) },
    )
    .post("/:id/quality", ({ request, params }) => receive(request, params.id), {
      detail: { ...reads(QuestionsForm), ...runsLong },
    })
    .post(
      "/:id/quality/apply",
      async ({ request, params, body: { score, threshold } }) => {
        await indexes.update(principalOf(request), params.id, {
          retrieval: { threshold: { score, value: threshold } },
        });
        return redirect(request, `/rag/${params.id}?done=threshold`);
      },
      { body: Fields({ score: Threshold.properties.score, threshold: t.Numeric({ minimum: -1, maximum: 1 }) }) },
    );
};

/** The fields of the form. A file replaces pasted questions. */
const readSent = async (request: Request): Promise<{ form: Omit<QualityForm, "measure"> } & Partial<Shown>> => {
  const body = ownBody(exchangeOf(request));
  try {
    const { fields, files } = await readForm(body.contentType, body.pieces(), {
      field: "file",
      most: 1,
      take: textOf,
      discard: async () => {},
    });
    refuseBadText(fields);
    const { questions = "", measure } = fields;
    const sent = files[0] || questions;
    // Browsers send line breaks as CRLF.
    return { form: { questions: sent.replaceAll("\r\n", "\n"), ...(measure && { measure }) } };
  } catch (thrown) {
    const { kind, message } = toAppError(thrown);
    if (kind !== "payload_too_large" && kind !== "invalid_request") throw thrown;
    return { form: { questions: "" }, problems: { file: message } };
  }
};

const textOf = async (file: AsyncIterable<Uint8Array>): Promise<string> => {
  let [read, size] = ["", 0];
  const bounded = async function* () {
    for await (const bytes of file) {
      size += bytes.length;
      if (size > MAX_KIB * 1024) {
        throw new AppError(
          "payload_too_large",
          `The file is larger than ${MAX_KIB} KiB. Use the API for larger files.`,
        );
      }
      yield bytes;
    }
  };
  for await (const piece of decodeText(bounded(), () => {})) read += piece;
  return read;
};

/** The questions in a text, or what is wrong with it. */
const readFile = async (
  questions: string,
  limits: Parameters<typeof readQuestions>[1],
): Promise<QuestionFile | { problems: Problems }> => {
  const refused = (problem: string) => ({ problems: { questions: problem } });
  if (questions.trim() === "") return refused("Enter questions, or choose a file");
  try {
    const read = await readQuestions(questions, limits);
    if ("problems" in read) {
      const [first = "", ...others] = read.problems;
      return refused(`${first}${others.length > 0 ? ` ${count(others.length, "more line")} also can’t be used.` : ""}`);
    }
    const { length } = read.questions;
    if (length < 2) return refused("Enter at least two questions");
    if (length > MAX_QUESTIONS) {
      return refused(`Enter at most ${MAX_QUESTIONS.toLocaleString("en")} questions. The API accepts more.`);
    }
    return read;
  } catch (thrown) {
    const { kind, message } = toAppError(thrown);
    if (kind !== "payload_too_large" && kind !== "dataset_invalid") throw thrown;
    return refused(message);
  }
};

/** The problem of a question, with its line; undefined for other errors. */
const problemOf = (thrown: unknown, { lines }: QuestionFile): string | undefined => {
  const { message, detail } = toAppError(thrown);
  const [, position] = /^questions(?:\.(\d+))?\b/.exec(detail.param ?? "") ?? [];
  if (detail.param?.startsWith("questions") !== true) return undefined;
  return position === undefined ? message : `Line ${lines[Number(position)]}: ${message}`;
};
