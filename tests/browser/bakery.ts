import type { Pages } from "./pages";

/** Stores a dataset of 60 questions as the API does. */
export const addBakery = async (pages: Pages) => {
  const principal = { keyId: (await pages.newKey("editor")).id };
  const samples = Array.from({ length: 60 }, (_, n) => ({
    ...{ key: `q${n}`, input: `When does branch ${n} open?`, references: [`At ${n} o’clock`] },
    tags: [n % 2 === 0 ? "hours" : "holidays"],
  }));
  const lines = Buffer.from(samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  const upload = await pages.uploads.receive([lines], { fileName: "bakery.jsonl", createdBy: principal.keyId });
  const target = { mode: "create", name: "bakery", description: "", schema: null } as const;
  const { job } = await pages.imports.enqueue(principal, upload, {
    target,
    options: { onError: "refuse", dryRun: false },
  });
  const { dataset: stored } = await pages.imports.wait(job, new AbortController().signal);
  return { id: stored?.id ?? "", name: "bakery", revision: 1 };
};
