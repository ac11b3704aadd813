import type { RevisionChanges } from "../../gateway/datasets/contract";
import { Icon } from "../ui/icon";
import { Table } from "../ui/table";
import { count } from "../ui/time";

export const isUnchanged = ({ added, changed, missing }: RevisionChanges): boolean => added + changed + missing === 0;

/** Preview of what storing the file would change. */
export const Changes = ({ changes }: { changes: RevisionChanges }) => {
  const { revision, added, changed, unchanged, missing, first } = changes;
  if (isUnchanged(changes)) {
    return (
      <section class="panel notice">
        <Icon name="check" />
        <div>
          <h2>No changes</h2>
          <p>This file matches the latest revision, number {revision}. There is nothing to store.</p>
        </div>
      </section>
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
          { name: "Samples", isNumeric: true, cell: ({ samples }) => samples.toLocaleString("en") },
          { name: "First samples", isLong: true, cell: ({ first, samples }) => inputsOf(first, samples) },
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

/** Shows samples by input, because a key derived from the content means nothing to a reader. */
const inputsOf = (first: RevisionChanges["first"]["added"], all: number): string => {
  const more = all - first.length;
  const inputs = first.map(({ input }) => input).join(" · ");
  return first.length > 0 && more > 0 ? `${inputs} and ${count(more, "other")}` : inputs;
};
