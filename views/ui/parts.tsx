import type { Child } from "hono/jsx";
import { isKeyOfContent } from "../../gateway/datasets/content";
import { type AppError, withoutRoutes } from "../../lib/errors";
import { assetUrl } from "../assets";
import { ago } from "./quantities";

type ScreenIcon =
  | "mark"
  | "dashboard"
  | "chat"
  | "documents"
  | "datasets"
  | "evals"
  | "runs"
  | "connect"
  | "keys"
  | "requests"
  | "audit"
  | "webhooks"
  | "system";
type ActionIcon = "plus" | "send" | "stop" | "copy" | "retry" | "thumb" | "leave" | "edit" | "trash";
type ControlIcon = "theme" | "menu" | "down" | "more" | "previous" | "next";
/** Ids in `assets/icons.svg`. */
export type IconName = ScreenIcon | ActionIcon | ControlIcon | "check" | "alert" | "clock";

/** An icon from the sprite, hidden from screen readers, because its control has a label. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" aria-hidden="true" focusable="false">
    <use href={`${assetUrl("icons.svg")}#${name}`} />
  </svg>
);

/** An icon with its text for screen readers: the content of a button without a visible label. */
export const IconText = ({ name, text }: { name: IconName; text: string }) => (
  <>
    <Icon name={name} />
    <span class="visually-hidden">{text}</span>
  </>
);

interface IconButtonProps {
  icon: IconName;
  label: string;
  look?: string;
  /** Further attributes of the button. */
  [attribute: string]: Child;
}

/** A button that shows only an icon. */
export const IconButton = ({ icon, label, look = "quiet icon-button", ...attributes }: IconButtonProps) => (
  <button type="submit" class={look} title={label} {...(attributes as object)}>
    <IconText name={icon} text={label} />
  </button>
);

interface ButtonLinkProps {
  href: string;
  text: string;
  icon?: IconName;
  look?: string;
}

/** A link that looks like a button. */
export const ButtonLink = ({ href, text, icon, look = "button" }: ButtonLinkProps) => (
  <a class={look} href={href}>
    {icon ? [<Icon name={icon} />, ` ${text}`] : text}
  </a>
);

/** One entry of a `dl`; empty without a value. */
export const Fact = ({ name, children }: { name: string; children?: Child }) =>
  children ? (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  ) : null;

/** Entries of a `dl` by name; those without a value are left out. */
export const Facts = ({ look, rows }: { look?: string; rows: readonly (readonly [name: string, value: Child])[] }) => (
  <dl class={look}>
    {rows.map(([name, value]) => (
      <Fact name={name}>{value}</Fact>
    ))}
  </dl>
);

interface TextsProps {
  name: string;
  texts: readonly string[];
  id?: string;
  /** Where the texts come from. */
  note?: string;
}

/** Texts of a sample or an answer under one name, shown unchanged. */
export const Texts = ({ name, texts, id, note }: TextsProps) => (
  <div id={id}>
    <dt>{note ? `${name}: ${note}` : name}</dt>
    {texts.length === 0 ? (
      <dd class="nothing">none</dd>
    ) : (
      texts.map((text) => <dd class="verbatim">{text || <em class="nothing">empty</em>}</dd>)
    )}
  </div>
);

/** A sample's key in a table. A generated key is shortened, because its 32 digits mean nothing to a reader. */
export const shortKey = (key: string): Child =>
  isKeyOfContent(key) ? <span title={key}>{key.slice(0, 8)}…</span> : key;

/** An ISO 8601 time. Rendered in UTC; app.js shows the user's time zone and keeps UTC as the title. */
export const Time = ({ at, seconds = false }: { at: string; seconds?: boolean }) => {
  const utc = `${at.slice(0, seconds ? 19 : 16).replace("T", " ")} UTC`;
  return (
    <time datetime={at} title={utc} data-format={seconds ? "seconds" : undefined}>
      {utc}
    </time>
  );
};

/** A time relative to now, such as "5 min ago". The exact time is its title. */
export const Ago = ({ at }: { at: string }) => (
  <time datetime={at} title={`${at.slice(0, 16).replace("T", " ")} UTC`} data-local>
    {ago(Date.now() - Date.parse(at))}
  </time>
);

/** "840 ms", "2.4 s", "3 min 5 s". */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/** "2,140". */
export const number = (n: number): string => n.toLocaleString("en");

/** "1 word", "2,140 words". */
export const count = (n: number, noun: string, plural = `${noun}s`): string =>
  `${number(n)} ${n === 1 ? noun : plural}`;

/** "; 12 rejected": errors caused by callers or limits, which the error rate leaves out. Empty if there are none. */
export const rejectedText = (totals: { errors: number; server_errors: number }, mark = ";"): string => {
  const rejected = totals.errors - totals.server_errors;
  return rejected > 0 ? `${mark} ${number(rejected)} rejected` : "";
};

const TITLES: Record<number, string> = {
  400: "Invalid request",
  401: "Your session ended",
  402: "The budget is used up",
  403: "Permission denied",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict with the current state",
  413: "Too large",
  415: "Unsupported format",
  422: "There is a problem",
  429: "Rate limit reached",
  500: "Something went wrong on our side",
  501: "Not implemented",
  502: "The GPU node failed",
  503: "Not available right now",
  504: "Timed out",
  507: "The disk is full",
};

export const errorTitle = (error: AppError): string => TITLES[error.status] ?? "Something went wrong";

/** A countdown (app.js) until the request may be sent again. */
const Countdown = ({ ms }: { ms: number }) => (
  <p class="countdown">
    Try again in <span data-countdown={Math.ceil(ms / 1000)}>{`${Math.ceil(ms / 1000)} s`}</span>
  </p>
);

/** The request id, which links to the request's log entry, with a copy button. */
export const RequestId = ({ id }: { id: string }) => (
  <span class="request-id">
    <a href={`/requests/${id}`}>
      <code>{id}</code>
    </a>{" "}
    <CopyButton text={id} label="Copy request id" />
  </span>
);

/** Copies `text`; hidden if scripts are disabled. */
export const CopyButton = ({ text, label }: { text: string; label: string }) => (
  <IconButton type="button" look="quiet icon-button copy" data-copy={text} icon="copy" label={label} hidden />
);

interface ErrorPanelProps {
  error: AppError;
  requestId: string;
  /** What happened to the user's work, and what the user can do next. */
  children?: Child;
}

/** An error: the cause, a countdown for temporary errors, and the request id. */
export const ErrorPanel = ({ error, requestId, children }: ErrorPanelProps) => (
  <div class={`panel ${error.status === 429 ? "notice" : "problem"}`}>
    <Icon name={error.status === 429 ? "clock" : "alert"} />
    <div>
      <h2>{errorTitle(error)}</h2>
      <p>{withoutRoutes(error.message)}</p>
      {error.detail.retryAfterMs !== undefined && <Countdown ms={error.detail.retryAfterMs} />}
      {children}
      <p class="fine">
        Request <RequestId id={requestId} />
      </p>
    </div>
  </div>
);

interface PanelProps {
  title: string;
  icon?: IconName;
  role?: "status";
  children: Child;
}

/** A notice about the content below it. */
export const Panel = ({ title, icon = "alert", role, children }: PanelProps) => (
  <section class="panel notice" role={role}>
    <Icon name={icon} />
    <div>
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  </section>
);

export const EmptyState = ({ title, children }: { title: string; children: Child }) => (
  <div class="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

interface TabsProps {
  label: string;
  tabs: readonly { href: string; text: string; current: "page" | "true" | undefined }[];
}

/** Links that switch between views; nothing if there is only one view. */
export const Tabs = ({ label, tabs }: TabsProps) =>
  tabs.length < 2 ? null : (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ href, text, current }) => (
        <a href={href} aria-current={current}>
          {text}
        </a>
      ))}
    </nav>
  );
