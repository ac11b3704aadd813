import type { RevisionChanges } from "../../gateway/datasets/contract";
import { Icon } from "../ui/icon";
import { Table } from "../ui/table";
import { count } from "../ui/time";

export const isUnchanged = ({ added, changed, missing }: RevisionChanges): boolean => added + changed + missing === 0;

/** What storing the file would change, before it is stored. */
export const Changes = ({ changes }: { changes: RevisionChanges }) => {
  const { revision, added, changed, unchanged, missing, keys } = changes;
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
    { what: "Added", samples: added, keys: keys.added },
    { what: "Changed", samples: changed, keys: keys.changed },
    { what: "Removed", samples: missing, keys: keys.missing, note: "unless you keep them" },
    { what: "Unchanged", samples: unchanged, keys: [] },
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
          { name: "Keys", isLong: true, cell: ({ keys, samples }) => keyList(keys, samples) },
        ]}
      />
    </section>
  );
};

const keyList = (keys: readonly string[], all: number): string => {
  const more = all - keys.length;
  if (keys.length === 0) return "";
  return more > 0 ? `${keys.join(", ")} and ${count(more, "other")}` : keys.join(", ");
};
