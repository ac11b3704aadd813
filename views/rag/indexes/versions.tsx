import type { IndexVersion, RagIndex } from "../../../gateway/rag/indexes/contract";
import { Form, type Problems } from "../../ui/fields";
import { Table } from "../../ui/lists";
import { number, Time } from "../../ui/parts";
import { State } from "../state";
import { isRunning, versionState } from "../words";
import { VersionFields, versionForm } from "./create";
import { polls } from "./progress";

interface VersionListProps {
  index: RagIndex;
  versions: readonly IndexVersion[];
  /** Address that returns the next progress. */
  path: string;
  mayWrite: boolean;
}

interface VersionsProps extends VersionListProps {
  models: readonly string[];
  form?: Partial<ReturnType<typeof versionForm>>;
  problems?: Problems;
}

const FIELDS = ["model", "chunkTokens", "overlapTokens"];

/** The builds of an index, and a form for another one. */
export const Versions = ({ index, versions, path, models, mayWrite, form, problems = {} }: VersionsProps) => (
  <section aria-labelledby="versions-title">
    <h2 id="versions-title">Versions</h2>
    <VersionList {...{ index, versions, path, mayWrite }} />
    {mayWrite && (
      <details class="card fold" open={FIELDS.some((name) => problems[name] !== undefined)}>
        <summary>Build another version</summary>
        <Form action={`/rag/${index.id}/versions`} look="form" submit="Build version" data-busy="Starting…">
          <p class="hint">
            Version {index.active.version} keeps answering while the new one is built. Then you decide whether to
            switch.
          </p>
          <VersionFields form={form ?? versionForm(index.active)} models={models} problems={problems} />
        </Form>
      </details>
    )}
  </section>
);

/** Updates the page while a version is being built; an ingestion does so itself. */
export const VersionList = ({ index, versions, path, mayWrite }: VersionListProps) => (
  <div id="versions">
    {index.building && !isRunning(index.ingestion) && (
      <span id={`building-${index.building.version}`} hidden {...polls(path)}></span>
    )}
    <Table
      caption="Versions, newest first"
      rows={versions}
      columns={[
        { name: "Version", isNumeric: true, cell: ({ version }) => version },
        {
          name: "State",
          cell: (version) => <State {...versionState(version)} />,
          note: ({ error }) => error?.message,
        },
        { name: "Model", cell: ({ embedding_model }) => embedding_model },
        {
          name: "Chunk size (tokens)",
          cell: ({ chunking: { chunk_tokens, overlap_tokens } }) => `${chunk_tokens}, overlap ${overlap_tokens}`,
        },
        { name: "Chunks", isNumeric: true, cell: ({ chunks }) => number(chunks) },
        { name: "Documents", isNumeric: true, cell: ({ documents }) => number(documents) },
        { name: "Built", cell: ({ created_at }) => <Time at={created_at} /> },
        {
          name: "Action",
          cell: ({ version, state }) =>
            mayWrite &&
            state === "ready" && (
              <form class="form-end" method="post" action={`/rag/${index.id}/versions/${version}/activate`}>
                <button type="submit" class="secondary" aria-label={actionText(version, index)}>
                  {version < index.active.version ? "Switch back" : "Use"}
                </button>
                <a
                  href={`/rag/${index.id}/quality?measure=${index.active.version}:${version}`}
                  aria-label={`Compare version ${version} with version ${index.active.version}`}
                >
                  Compare
                </a>
              </form>
            ),
        },
      ]}
    />
  </div>
);

/** Begins with the text of the button. */
const actionText = (version: number, { active }: RagIndex): string =>
  `${version < active.version ? "Switch back to" : "Use"} version ${version}`;
