import { ADMIN_KEY } from "../harness";
import type { Upload } from "./uploads";

const BOUNDARY = "groundwire-test";

/** The bytes of a multipart form, generated with backpressure. */
const formOf = (name: string, { name: fileName, bytes, options }: Upload): ReadableStream<Uint8Array> => {
  const field = (key: string, value: string) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`;
  const file = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="${fileName}"\r\n\r\n`;
  const mapping = options?.mapping ? field("mapping", JSON.stringify(options.mapping)) : "";
  const schema = options?.schema ? field("schema", JSON.stringify(options.schema)) : "";
  const pieces = async function* () {
    yield Buffer.from(field("name", name) + field("on_error", "skip") + mapping + schema + file);
    for await (const piece of bytes()) yield Uint8Array.from(piece);
    yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
  };
  const source = pieces();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
};

export interface UploadOutcome {
  status: number;
  message: string;
}

/** Sends a file to `POST /v1/datasets`. Resolves when the file has been read or rejected. */
export const sendUpload = async (url: string, name: string, upload: Upload): Promise<UploadOutcome> => {
  const response = await fetch(`${url}/v1/datasets`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": `multipart/form-data; boundary=${BOUNDARY}` },
    body: formOf(name, upload),
  });
  const body = JSON.parse(await response.text());
  return { status: response.status, message: body.error?.message ?? `${body.dataset.latest.samples} samples` };
};
