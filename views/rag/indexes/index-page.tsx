import type { IndexVersion, RagDocument, RagIndex } from "../../../gateway/rag/indexes/contract";
import { type Frame, may, Screen } from "../../layout";
import { Form, fieldsOf, type Problems } from "../../ui/fields";
import { withQuery } from "../../ui/lists";
import { ButtonLink, Facts, number, Time } from "../../ui/parts";
import { RETRIEVAL_FIELDS, type RetrievalForm, retrievalForm, SettingsFields } from "../settings";
import { State } from "../state";
import { indexState, isRunning, retrievalText, size } from "../words";
import type { IndexForm } from "./create";
import { AddFiles, DocumentList, type DocumentListProps, Documents } from "./documents";
import { IngestionPanel } from "./progress";
import { VersionList, Versions } from "./versions";

interface IndexPageProps extends Frame, Omit<DocumentListProps, "mayWrite"> {
  /** The first documents of the last ingestion. */
  ingested: readonly RagDocument[];
  versions: readonly IndexVersion[];
  models: readonly string[];
  maxBytes: number;
  notice: string;
  /** A rejected form: what was typed, and its errors. */
  form?: Partial<IndexForm & RetrievalForm>;
  problems?: Problems;
}

export const IndexPage = (props: IndexPageProps) => {
  const { index, page, sort, query, ingested, versions, models, maxBytes, form, problems, notice, ...frame } = props;
  const mayWrite = may(frame, "editor");
  const list = { index, page, sort, query, mayWrite };
  return (
    <Screen
      {...frame}
      title={index.name}
      problems={problems}
      notice={notice}
      scripts={["upload.js"]}
      refreshSeconds={isRunning(index.ingestion) || index.building ? 3 : undefined}
      trail={[{ path: "/rag", name: "Documents" }]}
      note={index.description || undefined}
      actions={
        index.chunks > 0 &&
        may(frame, "member") && (
          <>
            <ButtonLink href={`/chat?index=${index.id}`} text="Chat" look="button secondary" />
            {mayWrite && (
              <ButtonLink href={`/rag/${index.id}/quality`} text="Measure quality" look="button secondary" />
            )}
            <ButtonLink href={`/rag/${index.id}/ask`} text="Ask a question" />
          </>
        )
      }
    >
      <IndexFacts index={index} />
      <IngestionPanel index={index} documents={ingested} path={progressPath(list)} mayWrite={mayWrite} />
      {mayWrite && <AddFiles index={index} maxBytes={maxBytes} problems={problems} />}
      <Documents {...list} />
      <Versions path={progressPath(list)} {...{ index, versions, models, mayWrite, form, problems }} />
      {mayWrite && (
        <>
          <Settings index={index} form={form} problems={problems} />
          <Deletion index={index} problems={problems} />
        </>
      )}
    </Screen>
  );
};

const progressPath = ({ index, page, query }: Pick<DocumentListProps, "index" | "page" | "query">): string =>
  withQuery(`/rag/${index.id}/progress`, { ...query, page: page.page });

type ProgressProps = DocumentListProps & Pick<IndexPageProps, "ingested" | "versions">;

/** The part of the page that changes while documents are being added or a version is being built. */
export const Progress = ({ ingested, versions, ...list }: ProgressProps) => (
  <>
    <IngestionPanel index={list.index} documents={ingested} path={progressPath(list)} mayWrite={list.mayWrite} />
    <hx-partial hx-target="#index-facts" hx-swap="outerMorph">
      <IndexFacts index={list.index} />
    </hx-partial>
    <hx-partial hx-target="#documents" hx-swap="outerMorph">
      <DocumentList {...list} />
    </hx-partial>
    <hx-partial hx-target="#versions" hx-swap="outerMorph">
      <VersionList index={list.index} versions={versions} path={progressPath(list)} mayWrite={list.mayWrite} />
    </hx-partial>
  </>
);

const IndexFacts = ({ index }: { index: RagIndex }) => (
  <div id="index-facts" class="card index-facts">
    <Facts
      look="facts-list"
      rows={[
        ["Status", <State {...indexState(index)} />],
        ["Documents", number(index.documents)],
        ["Chunks", number(index.chunks)],
        ["Size", size(index.size_bytes)],
        ["Model", index.active.embedding_model],
        ["Updated", <Time at={index.updated_at} />],
      ]}
    />
  </div>
);

type PartProps = Pick<IndexPageProps, "index" | "form" | "problems">;

const SETTINGS = ["name", "description", ...RETRIEVAL_FIELDS];

const Settings = ({ index, form, problems = {} }: PartProps) => {
  const filled = { name: index.name, description: index.description, ...retrievalForm(index.retrieval), ...form };
  const { text, area } = fieldsOf(filled, problems);
  return (
    <details class="card fold" open={SETTINGS.some((name) => problems[name] !== undefined)}>
      <summary>Settings: {retrievalText(index.retrieval)}</summary>
      <Form action={`/rag/${index.id}/settings`} look="form wide" submit="Save settings">
        <div class="field-row">
          {text("name", "Name", { maxlength: 100, autocomplete: "off" })}
          {area("description", "Description", { rows: 1, maxlength: 2000 })}
        </div>
        <SettingsFields form={filled} problems={problems} />
        <p class="hint">
          Not sure about a value? <a href={`/rag/${index.id}/ask`}>Try settings on a question</a> without changing them
          here, or <a href={`/rag/${index.id}/quality`}>find the best threshold</a> with your own questions.
        </p>
      </Form>
    </details>
  );
};

const Deletion = ({ index, problems }: Omit<PartProps, "form">) => {
  const { text } = fieldsOf({}, problems);
  return (
    <details class="card fold" open={problems?.confirm !== undefined}>
      <summary>Delete this index</summary>
      <Form action={`/rag/${index.id}/delete`} look="form" submit="Delete index" kind="danger">
        <p>
          The index is deleted with its {number(index.documents)} documents. The next question can’t use them any more.
          This can’t be undone.
        </p>
        {text("confirm", `Type “${index.name}” to confirm`, { autocomplete: "off", spellcheck: "false" })}
      </Form>
    </details>
  );
};
