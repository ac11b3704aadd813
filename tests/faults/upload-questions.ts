import { ADMIN_KEY } from "../harness";

/** Uploads the dataset `numbers`: `count` questions, each with its number as the reference answer. */
export const uploadQuestions = async (url: string, count: number): Promise<void> => {
  const lines = Array.from(
    { length: count },
    (_, n) => `{"key":"k${n}","input":"What is ${n}?","references":["${n}"]}\n`,
  );
  const form = new FormData();
  form.append("name", "numbers");
  form.append("file", new File(lines, "samples.jsonl"));
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const response = await fetch(`${url}/v1/datasets`, { method: "POST", headers, body: form });
  if (!response.ok) throw new Error(`The upload returned ${response.status}: ${await response.text()}`);
};
