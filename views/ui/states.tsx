import type { Child } from "hono/jsx";
import { type AppError, withoutRoutes } from "../../lib/errors";
import { Icon, IconButton, type IconName } from "./icon";

const TITLES: Record<number, string> = {
  400: "That request does not fit",
  401: "Your session ended",
  402: "The budget is used up",
  403: "This needs another role",
  404: "There is nothing here",
  405: "That does not work here",
  409: "That conflicts with the current state",
  413: "That is too large",
  415: "Unsupported format",
  422: "There is a problem",
  429: "Rate limit reached",
  500: "Something failed on our side",
  501: "Not built yet",
  502: "The GPU node failed",
  503: "Not available right now",
  504: "That took too long",
  507: "The disk is full",
};

export const errorTitle = (error: AppError): string => TITLES[error.status] ?? "Something went wrong";

/** A countdown (app.js) until the request may be sent again. */
const Countdown = ({ ms }: { ms: number }) => (
  <p class="countdown">
    Next in <span data-countdown={Math.ceil(ms / 1000)}>{`${Math.ceil(ms / 1000)} s`}</span>
  </p>
);

/** The request id for finding the request in the log, with a copy button. */
export const RequestId = ({ id }: { id: string }) => (
  <span class="request-id">
    <code>{id}</code> <CopyButton text={id} label="Copy request id" />
  </span>
);

/** Copies a text; hidden where scripts are off. */
export const CopyButton = ({ text, label }: { text: string; label: string }) => (
  <IconButton type="button" look="quiet icon-button copy" data-copy={text} icon="copy" label={label} hidden />
);

interface ErrorPanelProps {
  error: AppError;
  requestId: string;
  /** What happened to the reader's work, and what to do next. */
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
