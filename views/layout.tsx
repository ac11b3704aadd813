import type { Child } from "hono/jsx";
import type { DegradationCode, ReasonCode } from "../gateway/health/contract";
import { principalOf } from "../gateway/http/auth";
import { exchangeOf } from "../gateway/http/exchange";
import { hasRole, type Principal, type Role } from "../gateway/principal";
import { assetUrl } from "./assets";
import { THEMES, type Theme, themeOf } from "./session";
import { ErrorSummary, type Problems } from "./ui/fields";
import { Icon, IconButton, type IconName, IconText } from "./ui/parts";

/** The user of a page, and the request for it. */
export interface Frame {
  request: Request;
  principal?: Principal;
}

export const frameOf = (request: Request) => ({ request, principal: principalOf(request) });

/** Whether the user has at least this role. */
export const may = ({ principal }: Pick<Frame, "principal">, role: Role): boolean =>
  principal !== undefined && hasRole(principal.role, role);

interface DocumentProps extends Frame {
  title: string;
  /** Scripts besides htmx and app.js. */
  scripts?: ("chat.js" | "ask.js" | "charts.js" | "citations.js" | "samples.js" | "upload.js")[];
  /** Without scripts, the page reloads at this interval, because something on it is in progress. */
  refreshSeconds?: number;
  children: Child;
}

const Document = ({ request, principal, title, scripts = [], refreshSeconds, children }: DocumentProps) => {
  const theme = themeOf(request);
  return (
    <html lang="en" {...(theme !== "system" && { "data-theme": theme })}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · Groundwire</title>
        {refreshSeconds !== undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(refreshSeconds)} />
          </noscript>
        )}
        <link rel="icon" href={assetUrl("favicon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetUrl("app.css")} />
        {(["htmx.js", ...scripts, "app.js"] as const).map((name) => (
          <script src={assetUrl(name)} defer></script>
        ))}
      </head>
      {/* Scripts store drafts under this key id, so that another user of the browser doesn't see them. */}
      <body data-owner={principal?.keyId}>
        {children}
        <p id="copy-status" class="visually-hidden" role="status"></p>
      </body>
    </html>
  );
};

const SCREENS: { path: string; name: string; icon: IconName; role: "member" | "viewer" | "admin" }[] = [
  { path: "/dashboard", name: "Dashboard", icon: "dashboard", role: "viewer" },
  { path: "/chat", name: "Chat", icon: "chat", role: "member" },
  { path: "/rag", name: "Documents", icon: "documents", role: "viewer" },
  { path: "/datasets", name: "Datasets", icon: "datasets", role: "viewer" },
  { path: "/evals", name: "Evaluations", icon: "evals", role: "viewer" },
  { path: "/batch-evals", name: "Runs", icon: "runs", role: "viewer" },
  { path: "/connect", name: "Connect", icon: "connect", role: "member" },
  { path: "/keys", name: "Keys", icon: "keys", role: "admin" },
  { path: "/audit", name: "Audit log", icon: "audit", role: "admin" },
  { path: "/requests", name: "Requests", icon: "requests", role: "viewer" },
  { path: "/webhooks", name: "Webhooks", icon: "webhooks", role: "admin" },
  { path: "/system", name: "System", icon: "system", role: "viewer" },
];

/** The screens that a user may open, main screen first. */
const screensOf = (principal: Principal | undefined) =>
  SCREENS.filter(({ role }) => principal && hasRole(principal.role, role));

/** The screen of an address, if the user may open it. */
export const screenOf = (pathname: string, principal: Principal | undefined) =>
  screensOf(principal).find(({ path }) => pathname.startsWith(`${path}/`));

/** Path that `/` redirects to: the user's main screen. */
export const homePath = (principal: Principal | undefined): string => screensOf(principal)[0]?.path ?? "/sign-in";

const Navigation = ({ request, principal }: Frame) => {
  const { pathname } = new URL(request.url);
  const screens = screensOf(principal);
  if (screens.length === 0) return null;
  return (
    <nav aria-label="Main">
      <ul class="screens">
        {screens.map(({ path, name, icon }) => (
          <li>
            <a href={path} aria-current={pathname === path || pathname.startsWith(`${path}/`) ? "page" : undefined}>
              <Icon name={icon} />
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
};

/** One button that cycles through system, light and dark. With scripts, only the colours change, without a reload. */
export const ThemeForm = ({ theme, returnTo }: { theme: Theme; returnTo: string }) => {
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const label = `Theme: ${theme}. Switch to ${next}`;
  return (
    <form method="post" action="/theme" hx-post="/theme" hx-swap="outerHTML" data-chosen-theme={theme}>
      <input type="hidden" name="return" value={returnTo} />
      <IconButton id="theme" name="theme" value={next} icon="theme" label={label} />
    </form>
  );
};

const themeFormOf = (request: Request) => {
  const { pathname, search } = new URL(request.url);
  return <ThemeForm theme={themeOf(request)} returnTo={pathname + search} />;
};

const Account = ({ request, principal }: Frame) => (
  <div class="account">
    {principal && (
      <p>
        <strong>{principal.keyName}</strong>
        <span>{principal.role}</span>
      </p>
    )}
    {themeFormOf(request)}
    {principal && (
      <form method="post" action="/sign-out">
        <IconButton icon="leave" label="Sign out" />
      </form>
    )}
  </div>
);

/** Where the response to a failed htmx request is shown; see `error.tsx`. */
export const Alerts = () => <div id="alerts" role="alert"></div>;

interface ShellProps extends DocumentProps {
  /** Errors of a form on the page. Their summary gets the focus. */
  problems?: Problems;
  /** Parent screens, shown as breadcrumbs. */
  trail?: readonly { path: string; name: string }[];
  /** Content below the navigation, such as earlier chats. */
  aside?: Child;
  /** Extra class of `main`, for a screen with its own layout. */
  kind?: string;
}

/** The frame of a page for signed-in users: a sidebar (a menu on narrow screens) and the screen itself. */
export const Shell = ({ aside, kind, title, problems = {}, trail = [], children, ...rest }: ShellProps) => (
  <Document {...rest} title={Object.keys(problems).length > 0 ? `Error: ${title}` : title}>
    <a class="skip" href="#main">
      Skip to content
    </a>
    <div class="shell">
      <header class="sidebar">
        <a class="brand" href="/">
          <Icon name="mark" />
          Groundwire
        </a>
        <details class="menu">
          <summary>
            <IconText name="menu" text="Menu" />
          </summary>
        </details>
        <div class="sidebar-content">
          <Navigation {...rest} />
          {aside}
          <Account {...rest} />
        </div>
      </header>
      <div class="screen">
        <Degraded request={rest.request} />
        <main id="main" class={kind} tabindex={-1}>
          <ErrorSummary problems={problems} />
          {trail.length > 0 && (
            <nav class="trail" aria-label="Breadcrumbs">
              {trail.map(({ path, name }) => (
                <a href={path}>{name}</a>
              ))}
            </nav>
          )}
          {children}
        </main>
      </div>
    </div>
  </Document>
);

/** A page without navigation: sign-in, and errors shown to users who are not signed in. */
export const Plain = ({ children, ...rest }: DocumentProps) => (
  <Document {...rest}>
    <div class="screen">
      <Degraded request={rest.request} />
      <main id="main" class="plain" tabindex={-1}>
        <a class="brand" href="/">
          <Icon name="mark" />
          Groundwire
        </a>
        {children}
        <div class="plain-foot">{themeFormOf(rest.request)}</div>
      </main>
    </div>
  </Document>
);

interface ScreenProps extends ShellProps {
  /** Defaults to the title of the page. */
  heading?: string;
  /** Text below the heading. */
  note?: Child;
  /** Links and buttons to the right of the heading. */
  actions?: Child;
  /** A sentence about the last action; "" if there was none. Omitted by screens without notices. */
  notice?: string;
}

/** A page with navigation, a heading, a region for htmx errors, and a notice about the last action. */
export const Screen = ({ heading, note, actions, notice, children, ...shell }: ScreenProps) => (
  <Shell {...shell}>
    <div class="heading">
      <div>
        <h1>{heading ?? shell.title}</h1>
        {note && <p>{note}</p>}
      </div>
      {actions && <div class="actions">{actions}</div>}
    </div>
    <Alerts />
    {notice !== undefined && (
      <p role="status" class={notice ? "panel success" : "visually-hidden"}>
        {notice}
      </p>
    )}
    {children}
  </Shell>
);

/** How each limitation affects users, and what still works. */
const WORDS: Record<DegradationCode, string> = {
  cached_only: "No GPU node is available: only cached answers are served. Earlier chats and keys still work.",
  fewer_nodes: "Some GPU nodes are unavailable. Everything works, but answers may take longer.",
  cache_local: "The shared cache is unavailable. Everything works, but some cached answers have to be generated again.",
  no_jobs: "No jobs worker is running: uploads wait until one starts. Everything else works.",
  keyword_only: "The vector store is down, so searches use only keywords. Everything else works.",
  cache_off: "The answer cache is off. Everything works, but no answers are reused.",
  limits_local: "For now, each gateway enforces limits separately. Everything else works.",
  fewer_tokens: "Answers are shorter than usual because of high load.",
  fallback_model: "A different model is answering instead of the one you chose.",
  no_evals: "For now, answers are not evaluated. Chat works as usual.",
};

/** Why GPU nodes are unavailable. */
const CAUSES: Partial<Record<ReasonCode, string>> = {
  loading: "A model is being loaded.",
  stuck: "A node is stuck: its requests are running, but no tokens arrive.",
  draining: "A node is being shut down or was drained.",
  ejected: "A node failed several times in a row and will be tried again soon.",
  down: "A node can't be reached, or its engine failed.",
};

/** One line for each current limitation, with its causes. Shown on every page. */
const Degraded = ({ request }: { request: Request }) => {
  const notices = exchangeOf(request).reduced?.notices ?? [];
  if (notices.length === 0) return null;
  return (
    <aside class="degraded" aria-label="Reduced service">
      <Icon name="alert" />
      <div>
        {notices.map(({ code, causes, drill }) => (
          <p data-code={code}>
            {drill && <strong>Drill: </strong>}
            {[WORDS[code as DegradationCode], ...causes.map((cause) => CAUSES[cause as ReasonCode])]
              .filter(Boolean)
              .join(" ")}
          </p>
        ))}
      </div>
    </aside>
  );
};
