import { Elysia } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { download } from "../../gateway/http/download";
import { allows, runsLong } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { renderReport } from "../report/report";
import { Fields, text } from "../ui/fields";
import { withoutEmpty } from "../ui/lists";
import { FORMATS, type Format } from "./downloads";
import { listOf, sampleFilter } from "./samples";

const isFormat = (name: string): name is Format => Object.hasOwn(FORMATS, name);

/** `/batch-evals/{id}/export`: the file of each download link, with the filter of the list of samples. */
export const exportPageRoutes = ({ batchExports }: Pick<Services, "batchExports">) =>
  new Elysia({ name: "views.batch-evals.exports", prefix: "/batch-evals" }).get(
    "/:id/export",
    async ({ request, params, query }) => {
      const { format = "", ...filter } = withoutEmpty(query);
      const { sort: _, ...conditions } = listOf(filter);
      const asked = { ...conditions, format: isFormat(format) ? format : ("html" as const) };
      return download(await batchExports.file(principalOf(request), params.id, asked, renderReport));
    },
    { query: Fields({ ...sampleFilter, format: text(20) }), detail: { ...allows("viewer"), ...runsLong } },
  );
