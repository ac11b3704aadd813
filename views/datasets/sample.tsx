import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset, Sample } from "../../gateway/datasets/contract";
import { hasRole } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { withQuery } from "../ui/lists";

interface SamplePageProps extends Frame {
  dataset: Dataset;
  revision: number;
  sample: Sample;
}

/** One sample in full. */
export const SamplePage = ({ dataset, revision, sample, ...frame }: SamplePageProps) => {
  const mayEvaluate = frame.principal !== undefined && hasRole(frame.principal.role, "member");
  const inRevision = revision === dataset.latest.revision ? undefined : String(revision);
  const evaluation = { dataset: dataset.id, key: sample.key, revision: String(revision) };
  return (
    <Shell {...frame} title={`${sample.key} · ${dataset.name}`}>
      <nav class="trail" aria-label="Where this is">
        <a href="/datasets">Datasets</a>
        <a href={withQuery(`/datasets/${dataset.id}`, { revision: inRevision })}>{dataset.name}</a>
      </nav>
      <Heading title={sample.key} note={`In revision ${revision} of ${dataset.name}`}>
        {mayEvaluate && (
          <a class="button" href={withQuery("/evals/new", evaluation)}>
            Evaluate
          </a>
        )}
      </Heading>
      <Alerts />
      <dl class="record">
        <Texts name="Input" texts={[textOfInput(sample.input)]} />
        <Texts name="References" texts={sample.references} />
        <Texts name="Contexts" texts={sample.contexts} />
        <Texts name="Output" texts={sample.output === null ? [] : [sample.output]} />
        <Fact name="Group" text={sample.group} />
        <Fact name="Tags" text={sample.tags.join(", ") || null} />
        {Object.entries(sample.metadata).map(([name, value]) => (
          <Fact name={name} text={typeof value === "string" ? value : JSON.stringify(value)} />
        ))}
        <div>
          <dt>Hash of the content</dt>
          <dd>
            <code>{sample.hash}</code>
          </dd>
        </div>
      </dl>
    </Shell>
  );
};

const Texts = ({ name, texts }: { name: string; texts: readonly string[] }) => (
  <div>
    <dt>{name}</dt>
    {texts.length === 0 ? <dd class="nothing">none</dd> : texts.map((text) => <dd class="verbatim">{text}</dd>)}
  </div>
);

const Fact = ({ name, text }: { name: string; text: string | null }) =>
  text === null ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
