import { textOfInput } from "../../gateway/datasets/content";
import type { Dataset, Sample } from "../../gateway/datasets/contract";
import { hasRole } from "../../gateway/principal";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { Fact, Texts } from "../ui/facts";
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
    <Shell
      {...frame}
      title={`${sample.key} · ${dataset.name}`}
      trail={[
        { path: "/datasets", name: "Datasets" },
        { path: withQuery(`/datasets/${dataset.id}`, { revision: inRevision }), name: dataset.name },
      ]}
    >
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
        <Fact name="Group">{sample.group}</Fact>
        <Fact name="Tags">{sample.tags.join(", ")}</Fact>
        {Object.entries(sample.metadata).map(([name, value]) => (
          <Fact name={name}>{value === "" ? <em class="nothing">empty</em> : textOf(value)}</Fact>
        ))}
        <Fact name="Hash of the content">
          <code>{sample.hash}</code>
        </Fact>
      </dl>
    </Shell>
  );
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
