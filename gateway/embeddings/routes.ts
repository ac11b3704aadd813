import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { generates } from "../http/route-docs";
import { EmbeddingList, EmbeddingRequest } from "./contract";

export const embeddingRoutes = new Elysia({ name: "embeddings.routes", prefix: "/v1", tags: ["Embeddings"] })
  .use(auth)
  .post("/embeddings", notImplemented("POST /v1/embeddings"), {
    parse: "json",
    body: EmbeddingRequest,
    response: { 200: EmbeddingList },
    detail: {
      summary: "Embed texts, in OpenAI's format",
      description: "With `store`, the vectors go into an index as well; that needs the role editor.",
      ...generates,
    },
  });
