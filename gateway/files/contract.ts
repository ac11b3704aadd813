import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import { Component, Count, Id, IdList, NumberInUrl, OneOf, Strict, UnixSeconds } from "../contract";

/** How long a file may be kept, in seconds. */
export const KeptSeconds = Type.Integer({
  minimum: 3600,
  maximum: 2_592_000,
  description: "Seconds after the file's creation: 1 hour to 30 days",
});

/** The form of `POST /v1/files`. */
export const FileForm = Strict(
  {
    file: t.File(),
    purpose: OneOf(["batch"], { description: "Files with other purposes are not supported" }),
    "expires_after[anchor]": Type.Optional(Type.Literal("created_at")),
    "expires_after[seconds]": Type.Optional(KeptSeconds),
  },
  { title: "FileForm" },
);

const purpose = OneOf(["batch", "batch_output"], {
  description: "batch: the requests of a batch. batch_output: their results or errors",
});

/** OpenAI's file object. */
export const File = Component("File", {
  id: Id("file"),
  object: Type.Literal("file"),
  bytes: Count("Size"),
  created_at: UnixSeconds,
  expires_at: { ...UnixSeconds, description: "When the file is deleted, in seconds since 1970" },
  filename: Type.String({ examples: ["requests.jsonl"] }),
  purpose,
  status: Type.Literal("processed"),
});
export type File = Static<typeof File>;

export const FileList = IdList(File);
export type FileList = Static<typeof FileList>;

/** `GET /v1/files`. */
export const FileQuery = Type.Object({
  purpose: Type.Optional(purpose),
  limit: Type.Optional(NumberInUrl({ minimum: 1, maximum: 10_000, default: 100 })),
  after: Type.Optional(Type.String({ maxLength: 100, description: "`last_id` of the previous page" })),
  order: Type.Optional(OneOf(["asc", "desc"], { default: "desc", description: "By time of creation" })),
});
export type FileQuery = Static<typeof FileQuery>;

export const FileDeleted = Component("FileDeleted", {
  id: Id("file"),
  object: Type.Literal("file"),
  deleted: Type.Literal(true),
});
export type FileDeleted = Static<typeof FileDeleted>;
