import type { KeptReport, NewSample } from "../../gateway/datasets/contract";
import { Icon } from "../ui/icon";
import { Table } from "../ui/table";
import { count } from "../ui/time";
import { textOfInput } from "./text";

/** Errors that are shown at first; the others are a click away. */
const FIRST_ERRORS = 20;

/** What is wrong with rows, and what may be worth a look. */
export const Findings = ({ report }: { report: KeptReport }) => {
  const { errors, error_count: all, rejected } = report;
  return (
    <>
      {rejected > 0 && (
        <section class="findings" aria-labelledby="findings-title">
          <h2 id="findings-title">
            <Icon name="alert" /> {count(rejected, "row")} can’t be used
          </h2>
          <ErrorTable errors={errors.slice(0, FIRST_ERRORS)} caption="Rows that can't be used" />
          {errors.length > FIRST_ERRORS && (
            <details class="fold">
              <summary>{count(errors.length - FIRST_ERRORS, "more problem")}</summary>
              <ErrorTable errors={errors.slice(FIRST_ERRORS)} caption="More rows that can't be used" />
            </details>
          )}
          {all > errors.length && (
            <p class="hint">
              {count(all - errors.length, "further problem")} of the same kinds: the first {errors.length} are listed.
            </p>
          )}
        </section>
      )}
      <Remarks report={report} />
    </>
  );
};

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

/** What was read, in one line. */
export const headline = ({ rows, accepted, rejected, duplicates }: KeptReport): string =>
  [
    `${count(rows, "row")} read`,
    `${accepted.toLocaleString("en")} good`,
    rejected > 0 && `${rejected.toLocaleString("en")} can't be used`,
    duplicates.exact > 0 && `${duplicates.exact.toLocaleString("en")} twice and left out`,
  ]
    .filter(Boolean)
    .join(", ");

/** Empty fields and doubles, which are allowed and often not meant. */
const Remarks = ({ report: { accepted, duplicates, empty, lengths } }: { report: KeptReport }) => {
  const remarks = [
    duplicates.exact > 0 && `${count(duplicates.exact, "row")} repeat an earlier row and are left out.`,
    duplicates.near > 0 &&
      `${count(duplicates.near, "row")} differ from an earlier one in case, spaces or punctuation only; they are kept.`,
    ...Object.entries(empty)
      .filter(([, rows]) => rows > 0)
      .map(([field, rows]) => `${field} is empty in ${count(rows, "row")}.`),
    ...Object.entries(lengths).map(
      ([field, { min, p50, p95, max }]) =>
        `${field}: ${min.toLocaleString("en")} to ${max.toLocaleString("en")} characters, half up to ${p50.toLocaleString("en")}, 95 % up to ${p95.toLocaleString("en")}.`,
    ),
  ].filter((remark) => remark !== false);
  if (remarks.length === 0 || accepted === 0) return null;
  return (
    <details class="card fold">
      <summary>About the rows: doubles, empty fields, lengths</summary>
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
      <h2>The first {count(samples.length, "sample")}</h2>
      <Table
        caption="The first samples as they would be stored"
        rows={samples}
        columns={[
          { name: "Key", cell: ({ key }) => key ?? "" },
          { name: "Input", isLong: true, cell: ({ input }) => textOfInput(input) },
          { name: "References", isLong: true, cell: ({ references }) => references?.join(" · ") ?? "" },
          { name: "Contexts", isNumeric: true, cell: ({ contexts }) => contexts?.length ?? 0 },
          { name: "Output", isLong: true, cell: ({ output }) => output ?? "" },
        ]}
      />
    </section>
  );
