import { Elysia, t } from "elysia";
import { principalOf } from "../../../gateway/http/auth";
import { allows } from "../../../gateway/http/route-facts";
import type { Principal } from "../../../gateway/principal";
import type { Chunk, RagDocument } from "../../../gateway/rag/indexes/contract";
import type { Services } from "../../../gateway/services";
import { frameOf } from "../../layout";
import { Fields, text } from "../../ui/fields";
import { page, redirect } from "../../ui/html";
import { DocumentPage } from "./document-page";

const offset = t.Optional(t.Numeric({ minimum: 0, multipleOf: 1 }));
const CHUNKS_AT_ONCE = 100;

export interface DocumentServices {
  indexes: Pick<Services["indexes"], "get">;
  documents: Pick<Services["documents"], "get" | "text" | "chunks" | "remove" | "retry">;
}

/** One document of an index. */
export const documentRoutes = ({ indexes, documents }: DocumentServices) => {
  const allChunks = async (principal: Principal, { index_id: indexId, id }: RagDocument): Promise<Chunk[]> => {
    const chunks: Chunk[] = [];
    let after: string | undefined;
    do {
      const found = await documents.chunks(principal, indexId, id, { limit: CHUNKS_AT_ONCE, after });
      chunks.push(...found.data);
      after = found.next_cursor ?? undefined;
    } while (after !== undefined);
    return chunks;
  };

  return new Elysia({ name: "views.rag.documents" })
    .get(
      "/:id/documents/:document",
      async ({ request, params, query: { start, end, hash, part } }) => {
        const principal = principalOf(request);
        const index = await indexes.get(principal, params.id);
        const document = await documents.get(principal, index.id, params.document);
        const isRead = document.chunks > 0 || document.state === "ready" || hash !== undefined;
        const content = isRead ? await documents.text(principal, index.id, document.id, hash || undefined) : undefined;
        const isCurrent = content !== undefined && content.hash === document.content_hash;
        const span = start !== undefined && end !== undefined && start < end ? { start, end } : undefined;
        const props = {
          ...frameOf(request),
          index,
          document,
          content,
          chunks: isCurrent ? await allChunks(principal, document) : [],
          span,
          part,
        };
        return page(<DocumentPage {...props} />);
      },
      {
        query: Fields({
          start: offset,
          end: offset,
          hash: text(64),
          part: t.Optional(t.Numeric({ minimum: 1, multipleOf: 1 })),
        }),
        detail: allows("viewer"),
      },
    )
    .post(
      "/:id/documents/:document/delete",
      async ({ request, params }) => {
        await documents.remove(principalOf(request), params.id, params.document);
        return redirect(request, `/rag/${params.id}?done=removed`);
      },
      { detail: allows("editor") },
    )
    .post(
      "/:id/retry",
      async ({ request, params, body }) => {
        await documents.retry(principalOf(request), params.id, [body.document].flat());
        return redirect(request, `/rag/${params.id}`);
      },
      {
        body: Fields({ document: t.Union([t.String(), t.Array(t.String(), { maxItems: 1000 })]) }),
        detail: allows("editor"),
      },
    );
};
