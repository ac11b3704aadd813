import type { LoggedRequestWithBodies } from "../../gateway/requests/contract";
import { type Frame, may, Screen } from "../layout";
import { withQuery } from "../ui/lists";
import { count, Facts, number, RequestId, Time } from "../ui/parts";
import { latency } from "../ui/quantities";
import { Split } from "../ui/split";
import { KeyLink } from "./list";
import { stagesOf } from "./stages";
import { FAULT_WORDS, objectPage, statusLook } from "./words";

const VIA = { key: "API key", session: "Page session", worker: "Jobs worker, for this key" } as const;
const CACHE = {
  hit: "Hit: the answer was stored",
  miss: "Miss: the node generated the answer",
  joined: "Joined an identical running request",
  bypass: "Not used",
} as const;

/** One request: what happened, where the time went, and the bodies if they were logged. */
export const RequestPage = ({ record, ...frame }: Frame & { record: LoggedRequestWithBodies }) => {
  const { method, route, status, error, key, model, usage, timing } = record;
  const object = objectPage(record);
  const isAdmin = may(frame, "admin");
  return (
    <Screen
      {...frame}
      title={`${method} ${route}`}
      trail={[{ path: "/requests", name: "Requests" }]}
      note={
        <span class={`state ${statusLook(record)}`}>
          {status === 499 ? "499, the client disconnected early" : error ? `${status}, failed` : `${status}, succeeded`}
        </span>
      }
    >
      {error && (
        <section class="panel problem">
          <div>
            <h2>
              <code>{error.code ?? error.fault_domain}</code>
            </h2>
            <p>{FAULT_WORDS[error.fault_domain]}.</p>
            <p class="fine">
              <a href={withQuery("/requests", error.code ? { code: error.code } : { fault: error.fault_domain })}>
                Requests with the same error
              </a>
            </p>
          </div>
        </section>
      )}
      <section aria-labelledby="timing-title">
        <h2 id="timing-title">Where the time went: {latency(timing.total_ms)}</h2>
        <Split stages={stagesOf(record)} totalMs={timing.total_ms} />
      </section>
      <Facts
        look="card facts-list"
        rows={[
          ["Request", <RequestId id={record.id} />],
          ["Arrived", <Time at={record.received_at} seconds />],
          ["Key", <KeyLink of={key} mayOpen={isAdmin} />],
          ["Sent with", key && VIA[key.via]],
          ["Model", model && <a href={withQuery("/requests", { model })}>{model}</a>],
          ["Node", record.node],
          ["Cache", record.cache && CACHE[record.cache]],
          ["Tokens", record.calls > 0 && `${number(usage.prompt_tokens)} in, ${number(usage.completion_tokens)} out`],
          ["Model calls", record.calls > 1 && number(record.calls)],
          ["Attempts", (record.attempts ?? 1) > 1 && count(record.attempts ?? 1, "attempt")],
          ["Streamed", record.calls > 0 && (record.stream ? "Yes" : "No")],
          ["Object", record.object && (object ? <a href={object}>{record.object}</a> : record.object)],
          ["Similar", <a href={withQuery("/requests", { route })}>Requests to this route</a>],
        ]}
      />
      <Bodies record={record} isAdmin={isAdmin} />
    </Screen>
  );
};

const Bodies = ({
  record: { bodies, has_bodies, calls },
  isAdmin,
}: {
  record: LoggedRequestWithBodies;
  isAdmin: boolean;
}) => {
  if (bodies) {
    return (
      <>
        <Body name="Prompt" text={bodies.prompt} isCut={bodies.cut} />
        <Body name="Answer" text={bodies.answer} isCut={bodies.cut} />
      </>
    );
  }
  if (has_bodies) return <p class="hint">Only this key and admins can read the prompt and the answer.</p>;
  if (calls === 0) return null;
  return (
    <p class="hint">
      The prompt and the answer were not logged.{" "}
      {isAdmin ? "Set log_bodies on a key to log those of its API calls." : "An admin can turn that on for a key."}
    </p>
  );
};

const Body = ({ name, text, isCut }: { name: string; text: string; isCut: boolean }) => (
  <details class="card fold" open>
    <summary>{isCut ? `${name}: cut to what the log stores` : name}</summary>
    {text ? (
      <pre class="verbatim" hx-ignore>
        {readable(text)}
      </pre>
    ) : (
      <p class="nothing">empty</p>
    )}
  </details>
);

/** JSON with line breaks; other text, such as a cut one, unchanged. */
const readable = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};
