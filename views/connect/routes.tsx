import { Elysia, type Static } from "elysia";
import { NO_DIRECTIVES } from "../../gateway/call";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, runsLong } from "../../gateway/http/route-facts";
import { newKeyId } from "../../gateway/keys/format";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import { retryAfterHeaders } from "../../lib/retry-after";
import { pageCallOf } from "../asking";
import { EMPTY_FORM, KeyFormBody, readKeyForm } from "../keys/form";
import { issueOnce } from "../keys/issue";
import { KeyExistsPage } from "../keys/page";
import { frameOf } from "../layout";
import { Fields, text } from "../ui/fields";
import { html, isHtmx, page } from "../ui/html";
import { CLIENTS } from "./clients";
import { ConnectPage, TestOutcome, type TestResult } from "./page";

const ChoiceFields = Fields({ client: text(100), model: text(200) });
type Choice = Static<typeof ChoiceFields>;

/** Enough for a few words, at almost no cost. */
const TEST_TOKENS = 16;

export interface ConnectServices extends Pick<Services, "config" | "keys" | "models"> {
  chat: Pick<Services["chat"], "answer">;
}

/** `/connect`: how to connect programs to the gateway, with a new key for admins and a test call. */
export const connectRoutes = ({ chat, config, keys, models }: ConnectServices) => {
  /**
   * The page's props for a choice. An unknown program is replaced by the first one, an unknown model by the default.
   */
  const propsOf = (request: Request, choice: Choice) => {
    const frame = frameOf(request);
    const usable = models.list(principalOf(request));
    const chats = usable.filter(({ capabilities }) => capabilities.chat);
    const embeddings = usable.filter(({ kind }) => kind === "embedding");
    const client = CLIENTS.find(({ id }) => id === choice.client) ?? CLIENTS[0];
    if (!client) throw new Error("docs/clients.md has no sections.");
    return {
      ...frame,
      client,
      models: chats,
      newKeyId: newKeyId(),
      keyName: client.name,
      values: {
        origin: config.gateway.publicUrl ?? new URL(request.url).origin,
        chat: chats.find(({ id }) => id === choice.model) ?? chats.find((model) => model.default) ?? chats[0],
        embedding: embeddings.find((model) => model.default) ?? embeddings[0],
      },
    };
  };

  /** Makes a real call that bypasses the cache. */
  const test = async (request: Request, model: string | undefined): Promise<TestResult> => {
    const directives = { ...NO_DIRECTIVES, noCache: true, noStore: true };
    try {
      const messages = [{ role: "user" as const, content: "Say hello." }];
      const body = { model, messages, max_tokens: TEST_TOKENS };
      return { answer: await chat.answer({ ...pageCallOf(request), directives }, body) };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { error, requestId: exchangeOf(request).requestId };
    }
  };

  return new Elysia({ name: "views.connect", prefix: "/connect" })
    .guard({ detail: allows("member") })
    .get("", ({ request, query }) => page(<ConnectPage {...propsOf(request, query)} />), { query: ChoiceFields })
    .post(
      "/key",
      async ({ request, body }) => {
        const props = propsOf(request, body);
        const { id, name = "" } = body;
        const read = readKeyForm({ ...EMPTY_FORM, name, id }, new Date());
        if ("problems" in read) {
          return page(<ConnectPage {...props} keyName={name} newKeyId={id} problems={read.problems} />, 422);
        }
        const created = await issueOnce(keys, id, () => keys.create(principalOf(request), read.request, { id }));
        if ("existing" in created) return page(<KeyExistsPage {...frameOf(request)} record={created.existing} />, 409);
        const values = { ...props.values, key: created.issued.key };
        return page(<ConnectPage {...props} values={values} issued={created.issued} />, 201);
      },
      {
        body: Fields({
          ...ChoiceFields.properties,
          id: KeyFormBody.properties.id,
          name: KeyFormBody.properties.name,
        }),
        detail: allows("admin"),
      },
    )
    .post(
      "/test",
      async ({ request, body }) => {
        const tested = await test(request, body.model);
        const status = "error" in tested ? tested.error.status : 200;
        const headers = "error" in tested ? retryAfterHeaders(tested.error) : {};
        return isHtmx(request)
          ? html(<TestOutcome {...tested} />, status, headers)
          : page(<ConnectPage {...propsOf(request, body)} tested={tested} />, status, headers);
      },
      { body: ChoiceFields, detail: runsLong },
    );
};
