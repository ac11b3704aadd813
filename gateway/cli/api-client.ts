import { AppError, fromEnvelope } from "../../lib/errors";

/** Calls the API of a gateway. `body` is sent as JSON, or as a form. Throws the API's errors. */
export interface ApiClient {
  url: string;
  request<T>(method: string, path: string, body?: object): Promise<T>;
}

export const apiClient = (address: string, key: string): ApiClient => {
  const url = address.replace(/\/+$/, "");
  return {
    url,
    async request<T>(method: string, path: string, body?: object): Promise<T> {
      const isForm = body instanceof FormData;
      const headers = {
        authorization: `Bearer ${key}`,
        ...(body && !isForm && { "content-type": "application/json" }),
      };
      const sent = { method, headers, body: isForm || !body ? body : JSON.stringify(body) };
      const response = await fetch(url + path, sent).catch((cause: Error) => {
        throw new AppError("unavailable", `${url} can't be reached: ${cause.message}`, { cause });
      });
      const answer: unknown = await response.json().catch(() => undefined);
      if (response.ok) return answer as T;
      if (answer !== undefined) throw fromEnvelope(answer, "gateway");
      throw new AppError("unavailable", `${url} returned status ${response.status} without a reason. Is it a gateway?`);
    },
  };
};
