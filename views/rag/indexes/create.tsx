import type { Static } from "@sinclair/typebox";
import type { CreateIndex, IndexVersion } from "../../../gateway/rag/indexes/contract";
import type { IndexDefaults } from "../../../gateway/rag/indexes/version-fields";
import { type Frame, Screen } from "../../layout";
import { Fields, Form, fieldsOf, type Problems, text } from "../../ui/fields";

/** The fields of a new index or version, as sent. A field that is left out keeps its value. */
export const IndexFields = Fields({
  name: text(1000),
  description: text(10_000),
  model: text(200),
  chunkTokens: text(20),
  overlapTokens: text(20),
});
export type IndexForm = Required<Static<typeof IndexFields>>;

export const emptyIndexForm = ({ models: [model = ""], chunking }: IndexDefaults): IndexForm => ({
  name: "",
  description: "",
  ...versionForm({ embedding_model: model, chunking }),
});

export const versionForm = ({
  embedding_model: model,
  chunking,
}: Pick<IndexVersion, "embedding_model" | "chunking">) => ({
  model,
  chunkTokens: String(chunking.chunk_tokens),
  overlapTokens: String(chunking.overlap_tokens),
});

const MAX_NAME = 100;
const MAX_DESCRIPTION = 2000;

export const readName = ({ name: given, description }: Pick<IndexForm, "name" | "description">): Problems => {
  const name = given.trim();
  const problems: Record<string, string> = {};
  if (name === "" || name.length > MAX_NAME) problems.name = `Enter a name of 1 to ${MAX_NAME} characters`;
  else if (name.startsWith("idx_")) problems.name = "Choose a name that doesn’t start with idx_, as ids do";
  else if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]*$/.test(name)) {
    problems.name = "Start the name with a letter or digit, and use only letters, digits, spaces, dots, - and _";
  }
  if (description.length > MAX_DESCRIPTION) problems.description = "Shorten the description to 2,000 characters";
  return problems;
};

type VersionRequest = Required<Pick<CreateIndex, "embedding_model" | "chunking">>;

/** The model and the chunk sizes in a form, or its errors by field. */
export const readVersion = (
  form: Pick<IndexForm, "model" | "chunkTokens" | "overlapTokens">,
): { request: VersionRequest } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const whole = (text: string) => Number(/^\d+$/.test(text.trim()) ? text : Number.NaN);
  const [chunk, overlap] = [whole(form.chunkTokens), whole(form.overlapTokens)];
  if (form.model === "") problems.model = "Choose an embedding model";
  if (!(chunk >= 16 && chunk <= 8192)) problems.chunkTokens = "Chunk size: enter a whole number from 16 to 8,192";
  if (!(overlap >= 0 && overlap < (chunk || 8192))) {
    problems.overlapTokens = "Overlap: enter a whole number from 0 to less than the chunk size";
  }
  if (Object.keys(problems).length > 0) return { problems };
  return { request: { embedding_model: form.model, chunking: { chunk_tokens: chunk, overlap_tokens: overlap } } };
};

interface VersionFieldsProps {
  form: Partial<IndexForm>;
  models: readonly string[];
  problems?: Problems;
}

export const VersionFields = ({ form, models, problems }: VersionFieldsProps) => {
  const { text: line, select } = fieldsOf(form, problems);
  const whole = { inputmode: "numeric", autocomplete: "off" };
  const choices = models.includes(form.model ?? "") ? models : [form.model ?? "", ...models];
  return (
    <>
      {select("model", "Embedding model", choices, { hint: "Turns each passage into a vector, to search by meaning" })}
      <div class="field-row">
        {line("chunkTokens", "Chunk size (tokens)", { ...whole, hint: "Longer chunks keep more context" })}
        {line("overlapTokens", "Overlap (tokens)", { ...whole, hint: "Repeated from the previous chunk" })}
      </div>
    </>
  );
};

interface NewIndexPageProps extends Frame {
  form: IndexForm;
  models: readonly string[];
  problems?: Problems;
}

const ADVANCED = ["model", "chunkTokens", "overlapTokens"];

export const NewIndexPage = ({ form, models, problems = {}, ...frame }: NewIndexPageProps) => {
  const { text: line, area } = fieldsOf(form, problems);
  return (
    <Screen
      {...frame}
      title="Create an index"
      problems={problems}
      trail={[{ path: "/rag", name: "Documents" }]}
      note="Name it after the documents it will hold. You add them in the next step."
    >
      <Form action="/rag" submit="Create index" cancel="/rag" data-busy="Creating…">
        {line("name", "Name", {
          maxlength: MAX_NAME,
          autocomplete: "off",
          hint: "Letters, digits, spaces, dots, - and _",
        })}
        {area("description", "Description", { rows: 2, maxlength: MAX_DESCRIPTION, hint: "Optional" })}
        <details class="fold" open={ADVANCED.some((name) => problems[name] !== undefined)}>
          <summary>Advanced: model and chunk size</summary>
          <div class="form">
            <p class="hint">These defaults found the most answers in our tests. You can rebuild the index later.</p>
            <VersionFields form={form} models={models} problems={problems} />
          </div>
        </details>
      </Form>
    </Screen>
  );
};
