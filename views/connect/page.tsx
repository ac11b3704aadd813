import { raw } from "hono/html";
import type { ChatAnswer } from "../../gateway/chat/contract";
import type { KeyWithSecret } from "../../gateway/keys/contract";
import type { Model } from "../../gateway/models/contract";
import type { AppError } from "../../lib/errors";
import { type Frame, may, Screen } from "../layout";
import { Form, fieldsOf, type Problems, posts } from "../ui/fields";
import { highlight } from "../ui/highlight";
import { markdown } from "../ui/markdown";
import { tokensOf } from "../ui/markdown-tokens";
import { CopyButton, duration, ErrorPanel, Facts, Panel, RequestId } from "../ui/parts";
import { addressFor, CLIENTS, type Client, type ConnectionValues, fillIn, KEY_PLACEHOLDER } from "./clients";

/** The result of a test call: an answer or an error. */
export type TestResult = { answer: ChatAnswer } | { error: AppError; requestId: string };

interface ConnectPageProps extends Frame {
  client: Client;
  values: ConnectionValues;
  /** The chat models that the user may call. */
  models: readonly Model[];
  /** Id of the key that the form creates, so that submitting the form twice creates only one key. */
  newKeyId: string;
  /** The name in that form. */
  keyName: string;
  /** A new key, shown once. */
  issued?: KeyWithSecret;
  tested?: TestResult;
  problems?: Problems;
}

/** The settings of one program for this gateway, with a key and a test. */
export const ConnectPage = (props: ConnectPageProps) => {
  const { client, values, models, tested, problems, ...frame } = props;
  return (
    <Screen
      {...frame}
      title="Connect"
      kind="connect"
      problems={problems}
      note="Use this gateway from your programs. The settings below have its address and models filled in."
    >
      <Choice client={client} models={models} model={values.chat?.id} />
      <KeyPart {...props} />
      <section>
        <h2>{client.name}</h2>
        <Settings text={fillIn(client.text, values)} />
      </section>
      {models.length > 0 && (
        <section>
          <h2>Test the connection</h2>
          <p>Asks {values.chat?.id} for a few words, with your own key and limits.</p>
          {/* Without scripts, the next page opens at the result. */}
          <form
            {...posts("/connect/test", "#tested")}
            action="/connect/test#tested"
            hx-disable="find button"
            hx-indicator="#testing"
          >
            <HiddenChoice client={client} model={values.chat?.id} />
            <div class="form-end">
              <button type="submit">Test connection</button>
              <span id="testing" class="htmx-indicator" role="status">
                Waiting for the answer…
              </span>
            </div>
          </form>
          <div id="tested" role="status">
            {tested && <TestOutcome {...tested} />}
          </div>
        </section>
      )}
    </Screen>
  );
};

const Choice = ({ client, models, model }: { client: Client; models: readonly Model[]; model?: string }) => {
  const { select } = fieldsOf({ client: client.id, model });
  const clients = CLIENTS.map(({ id, name }) => ({ value: id, label: name }));
  const ids = models.map(({ id }) => id);
  return (
    <>
      {ids.length === 0 && (
        <Panel title="No chat model is available">
          No GPU node offers a chat model that you may use, so the settings below name an example model.{" "}
          <a href="/system">System</a> shows the nodes.
        </Panel>
      )}
      <search>
        <form class="filters" method="get" action="/connect">
          {select("client", "Program", clients)}
          {ids.length > 0 && select("model", "Model", ids)}
          <button type="submit" class="secondary">
            Show settings
          </button>
        </form>
      </search>
    </>
  );
};

/** Keeps the choice in a form. */
const HiddenChoice = ({ client, model }: { client: Client; model?: string }) => (
  <>
    <input type="hidden" name="client" value={client.id} />
    {model && <input type="hidden" name="model" value={model} />}
  </>
);

/** Address and key. Admins can create a key here. Its secret is filled in on the next page, and only there. */
const KeyPart = ({ client, values, newKeyId, keyName, issued, problems, ...frame }: ConnectPageProps) => {
  const address = addressFor(client, values.origin);
  return (
    <section>
      <h2>Address and key</h2>
      <Facts
        look="card facts-list"
        rows={[
          [
            "Address",
            <>
              <code>{address}</code> <CopyButton text={address} label="Copy address" />
            </>,
          ],
          ["Model", values.chat && <code>{values.chat.id}</code>],
          ["Model for embeddings", values.embedding && <code>{values.embedding.id}</code>],
        ]}
      />
      {issued ? (
        <div class="card">
          <h3>Store the key for {issued.name}</h3>
          <p>Copy it now. It is shown only once, because only its fingerprint is stored.</p>
          <p class="secret">
            <code id="secret">{issued.key}</code>
            <CopyButton text={issued.key} label="Copy key" />
          </p>
        </div>
      ) : may(frame, "admin") ? (
        <Form action="/connect/key" data-busy="Creating…" submit="Create key" kind="secondary">
          <h3>Create a key for {client.name}</h3>
          <HiddenChoice client={client} model={values.chat?.id} />
          <input type="hidden" name="id" value={newKeyId} />
          {fieldsOf({ name: keyName }, problems).text("name", "Name", {
            hint: "The key has the member role and expires in 90 days. Change its settings and limits on the Keys page.",
            maxlength: 100,
            autocomplete: "off",
          })}
        </Form>
      ) : (
        <p>
          Replace <code>{KEY_PLACEHOLDER}</code> with your key. Ask an admin for one if you don’t have one for this
          program.
        </p>
      )}
      <Settings
        text={fillIn(`\`\`\`sh\nexport GROUNDWIRE_API_KEY=${KEY_PLACEHOLDER}\n\`\`\``, values)}
        noun="key setting"
      />
    </section>
  );
};

/** Markdown whose code has copy buttons. `noun` names one piece of code. */
const Settings = ({ text, noun = "example" }: { text: string; noun?: string }) => {
  let examples = 0;
  return (
    <div class="prose">
      {tokensOf(text).map((token) => {
        // Line breaks of a paragraph would be shown.
        if (token.type === "paragraph") return raw(markdown(token.raw.replaceAll("\n", " ")));
        if (token.type !== "code") return raw(markdown(token.raw));
        examples += 1;
        return (
          <div class="code">
            <div class="code-bar">
              <span>{token.lang}</span>
              <CopyButton text={token.text} label={`Copy ${noun} ${examples}`} />
            </div>
            <pre dir="ltr" tabindex={0}>
              <code>{raw(highlight(token.text, token.lang) ?? Bun.escapeHTML(token.text))}</code>
            </pre>
          </div>
        );
      })}
    </div>
  );
};

/** The outcome of a test call. */
export const TestOutcome = (result: TestResult) => {
  if ("error" in result) {
    const { error, requestId } = result;
    return (
      <ErrorPanel error={error} requestId={requestId}>
        {error.status >= 500 && (
          <p>
            The gateway answered, so the address is right. <a href="/system">System</a> shows whether the model’s node
            is available.
          </p>
        )}
      </ErrorPanel>
    );
  }
  const { model, message, latency, request_id } = result.answer;
  return (
    <div class="panel success">
      <div>
        <h3>It works</h3>
        <p>
          {model} answered in {duration(latency.total)}; the first token came after {duration(latency.ttft)}.
        </p>
        {message.content && <p dir="auto">“{message.content}”</p>}
        <p class="fine">
          Request <RequestId id={request_id} />
        </p>
      </div>
    </div>
  );
};
