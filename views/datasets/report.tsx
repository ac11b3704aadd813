import { textOfInput } from "../../gateway/datasets/content";
import type { KeptReport, NewSample, RevisionChanges } from "../../gateway/datasets/contract";
import { Table } from "../ui/lists";
import { count, Icon, number, Panel, shortKey } from "../ui/parts";

/** Number of errors that are always visible; further errors are collapsed. */
const FIRST_ERRORS = 20;
/** If there are more warnings than this, they are collapsed. */
const FIRST_WARNINGS = 5;

export const Findings = ({ report }: { report: KeptReport }) => {
  const { errors, error_count: all, rejected } = report;
  return (
    <>
      {rejected > 0 && (
        <section class="findings" aria-labelledby="findings-title">
          <h2 id="findings-title">
            <Icon name="alert" /> {count(rejected, "row")} can’t be used
          </h2>
          <ErrorTable errors={errors.slice(0, FIRST_ERRORS)} caption="Rows that can’t be used" />
          {errors.length > FIRST_ERRORS && (
            <details class="fold">
              <summary>{count(errors.length - FIRST_ERRORS, "more problem")}</summary>
              <ErrorTable errors={errors.slice(FIRST_ERRORS)} caption="More rows that can’t be used" />
            </details>
          )}
          {all > errors.length && (
            <p class="hint">
              Only the first {number(errors.length)} of {count(all, "problem")} are listed.
            </p>
          )}
        </section>
      )}
      <Warnings warnings={report.warnings} />
      <Remarks report={report} />
    </>
  );
};

const Warnings = ({ warnings }: { warnings: KeptReport["warnings"] }) =>
  warnings.length === 0 ? null : (
    <details class="card fold" open={warnings.length <= FIRST_WARNINGS}>
      <summary>{count(warnings.length, "note")} on how the file was read</summary>
      <Table
        caption="Notes on how the file was read"
        rows={warnings}
        columns={[
          { name: "Line", isNumeric: true, cell: ({ line }) => line ?? "" },
          { name: "Column", cell: ({ column }) => column ?? "" },
          { name: "Note", isLong: true, cell: ({ message }) => message },
          { name: "Times", isNumeric: true, cell: ({ count: times }) => number(times) },
        ]}
      />
    </details>
  );

const ErrorTable = ({ errors, caption }: { errors: KeptReport["errors"]; caption: string }) => (
  <Table
    caption={caption}
    rows={errors}
    columns={[
      { name: "Line", isNumeric: true, cell: ({ line }) => line },
      { name: "Column", cell: ({ column }) => column ?? "" },
      { name: "Problem", isLong: true, cell: ({ message }) => message },
    ]}
  />
);

/** A one-line summary of what was read. */
export const headline = ({ rows, accepted, rejected, duplicates }: KeptReport): string =>
  [
    `${count(rows, "row")} read`,
    `${number(accepted)} usable`,
    rejected > 0 && `${number(rejected)} can’t be used`,
    duplicates.exact > 0 && `${count(duplicates.exact, "duplicate")} left out`,
  ]
    .filter(Boolean)
    .join(", ");

/** Empty fields and duplicates, which are allowed but often a mistake. */
const Remarks = ({ report: { accepted, duplicates, empty, lengths } }: { report: KeptReport }) => {
  const remarks = [
    duplicates.exact > 0 &&
      `${count(duplicates.exact, "duplicate row")} ${duplicates.exact === 1 ? "was" : "were"} left out.`,
    duplicates.near > 0 &&
      `${count(duplicates.near, "near duplicate")} kept: they differ from earlier rows only in case, spaces or punctuation.`,
    ...Object.entries(empty)
      .filter(([, rows]) => rows > 0)
      .map(([field, rows]) => `${field} is empty in ${count(rows, "row")}.`),
    ...Object.entries(lengths).map(
      ([field, { min, p50, p95, max }]) =>
        `${field}: ${number(min)} to ${number(max)} characters, median ${number(p50)}, 95th percentile ${number(p95)}.`,
    ),
  ].filter((remark) => remark !== false);
  if (remarks.length === 0 || accepted === 0) return null;
  return (
    <details class="card fold">
      <summary>Duplicates, empty fields and lengths</summary>
      <ul class="remarks">
        {remarks.map((remark) => (
          <li>{remark}</li>
        ))}
      </ul>
    </details>
  );
};

/** The first samples as they would be stored. */
export const Preview = ({ samples }: { samples: readonly NewSample[] }) =>
  samples.length === 0 ? null : (
    <section>
      <h2>{samples.length === 1 ? "The first sample" : `The first ${number(samples.length)} samples`}</h2>
      <Table
        caption="The first samples as they would be stored"
        rows={samples}
        columns={[
          { name: "Input", isLong: true, cell: ({ input }) => textOfInput(input) },
          { name: "References", isLong: true, cell: ({ references }) => references?.join(" · ") ?? "" },
          { name: "Contexts", isNumeric: true, cell: ({ contexts }) => contexts?.length ?? 0 },
          { name: "Output", isLong: true, cell: ({ output }) => output ?? "" },
          { name: "Key", cell: ({ key }) => key && shortKey(key) },
        ]}
      />
    </section>
  );

export const isUnchanged = ({ added, changed, missing }: RevisionChanges): boolean => added + changed + missing === 0;

/** Preview of what storing the file would change. */
export const Changes = ({ changes }: { changes: RevisionChanges }) => {
  const { revision, added, changed, unchanged, missing, first } = changes;
  if (isUnchanged(changes)) {
    return (
      <Panel icon="check" title="No changes">
        This file matches the latest revision, number {revision}. There is nothing to store.
      </Panel>
    );
  }
  const rows = [
    { what: "Added", samples: added, first: first.added },
    { what: "Changed", samples: changed, first: first.changed },
    { what: "Removed", samples: missing, first: first.missing, note: "unless you keep them" },
    { what: "Unchanged", samples: unchanged, first: [] },
  ];
  return (
    <section>
      <h2>Changes to revision {revision}</h2>
      <Table
        caption={`Changes to revision ${revision}`}
        rows={rows.filter(({ samples }) => samples > 0)}
        columns={[
          { name: "Change", cell: ({ what }) => what, note: ({ note }) => note },
          { name: "Samples", isNumeric: true, cell: ({ samples }) => number(samples) },
          { name: "Examples", isLong: true, cell: ({ first, samples }) => inputsOf(first, samples) },
        ]}
      />
      {added > 0 && missing > 0 && (
        <p class="hint">
          Without a key, a sample whose content changes counts as removed and added. Map a column to “Key” to see it as
          changed.
        </p>
      )}
    </section>
  );
};

/** Shows samples by input, because a key derived from the content means nothing to a user. */
const inputsOf = (first: RevisionChanges["first"]["added"], all: number): string => {
  const more = all - first.length;
  const inputs = first.map(({ input }) => input).join(" · ");
  return first.length > 0 && more > 0 ? `${inputs} and ${count(more, "other")}` : inputs;
};
