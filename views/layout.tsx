import type { Child } from "hono/jsx";
import { DEGRADATION_CODES } from "../gateway/health/contract";
import { exchangeOf } from "../gateway/http/exchange";
import { hasRole, type Principal } from "../gateway/principal";
import { assetUrl } from "./assets";
import { THEMES, themeOf } from "./session";
import { Icon, type IconName } from "./ui/icon";

/** Where a page is shown: who reads it, and the request that asked for it. */
export interface Frame {
  request: Request;
  principal?: Principal;
}

interface DocumentProps extends Frame {
  title: string;
  /** Scripts besides htmx and app.js. */
  scripts?: ("hx-sse.js" | "chat.js" | "upload.js")[];
  /** Without scripts the page is loaded anew after so long: something on it is not done yet. */
  refreshSeconds?: number;
  children: Child;
}

/** The HTML document: head, the reader's theme, our scripts. */
const Document = ({ request, title, scripts = [], refreshSeconds, children }: DocumentProps) => {
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
      <body>{children}</body>
    </html>
  );
};

const SCREENS: { path: string; name: string; icon: IconName; role: "member" | "viewer" | "admin" }[] = [
  { path: "/chat", name: "Chat", icon: "chat", role: "member" },
  { path: "/datasets", name: "Datasets", icon: "datasets", role: "viewer" },
  { path: "/evals", name: "Evaluations", icon: "evals", role: "viewer" },
  { path: "/keys", name: "Keys", icon: "keys", role: "admin" },
  { path: "/system", name: "System", icon: "system", role: "viewer" },
];

/** The screens that a reader may open, the main one first. */
const screensOf = (principal: Principal | undefined) =>
  SCREENS.filter(({ role }) => principal && hasRole(principal.role, role));

/** Where `/` leads: the reader's main screen. */
export const homePath = (principal: Principal | undefined): string => screensOf(principal)[0]?.path ?? "/sign-in";

const Navigation = ({ request, principal }: Frame) => {
  const { pathname } = new URL(request.url);
  const screens = screensOf(principal);
  if (screens.length === 0) return null;
  return (
    <nav aria-label="Screens">
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

/** One button that walks through system, light and dark. */
const ThemeForm = ({ request }: Frame) => {
  const theme = themeOf(request);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  const { pathname, search } = new URL(request.url);
  return (
    <form method="post" action="/theme">
      <input type="hidden" name="return" value={pathname + search} />
      <button
        type="submit"
        class="quiet icon-button"
        name="theme"
        value={next}
        title={`Theme: ${theme}. Switch to ${next}`}
      >
        <Icon name="theme" />
        <span class="visually-hidden">{`Theme: ${theme}. Switch to ${next}`}</span>
      </button>
    </form>
  );
};

const Account = ({ request, principal }: Frame) => (
  <div class="account">
    {principal && (
      <p>
        <strong>{principal.keyName}</strong>
        <span>{principal.role}</span>
      </p>
    )}
    <ThemeForm request={request} />
    {principal && (
      <form method="post" action="/sign-out">
        <button type="submit" class="quiet icon-button" title="Sign out">
          <Icon name="leave" />
          <span class="visually-hidden">Sign out</span>
        </button>
      </form>
    )}
  </div>
);

/** Where the answer to a failed htmx request lands; see `error.tsx`. */
export const Alerts = () => <div id="alerts" role="alert"></div>;

interface ShellProps extends DocumentProps {
  /** Below the navigation: what belongs to this screen, such as earlier chats. */
  aside?: Child;
  /** Extra class of `main`, for a screen with a layout of its own. */
  kind?: string;
}

/** A signed-in page: side bar (a menu on narrow screens) and the screen itself. */
export const Shell = ({ aside, kind, children, ...rest }: ShellProps) => (
  <Document {...rest}>
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
            <Icon name="menu" />
            <span class="visually-hidden">Menu</span>
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
          {children}
        </main>
      </div>
    </div>
  </Document>
);

/** A page without navigation: sign-in, and errors of readers who are not signed in. */
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
        <div class="plain-foot">
          <ThemeForm request={rest.request} />
        </div>
      </main>
    </div>
  </Document>
);

/** What has just been done, in a sentence. Its place is there from the start, so that screen readers hear it. */
export const Notice = ({ text }: { text: string | undefined }) => (
  <p role="status" class={text ? "panel success" : "visually-hidden"}>
    {text}
  </p>
);

/** Title row of a screen, with its actions on the right. */
export const Heading = ({ title, children, note }: { title: string; note?: Child; children?: Child }) => (
  <div class="heading">
    <div>
      <h1>{title}</h1>
      {note && <p>{note}</p>}
    </div>
    {children && <div class="actions">{children}</div>}
  </div>
);

/** What a reader notices of each reduction, and what goes on working. */
const WORDS: Record<(typeof DEGRADATION_CODES)[number], string> = {
  cached_only: "No GPU node answers: new answers wait for one. Earlier chats, keys and stored answers still work.",
  fewer_nodes: "Some GPU nodes are away: everything works, answers may come later than usual.",
  cache_local: "The shared cache is away: everything works, some answers are made again.",
  no_jobs: "No jobs worker runs: uploads wait for one. Everything else works as usual.",
  cache_off: "Stored answers are off: everything works, each answer is made anew.",
  limits_local: "Limits are counted by each gateway alone: everything else works as usual.",
  fewer_tokens: "Answers are shorter than usual while there is much to do.",
  fallback_model: "Another model stands in for the one you asked for.",
  no_evals: "Answers are not evaluated for now; chatting works as usual.",
};

/** A line on every page for each thing that is reduced now: the codes that this very answer's `x-degraded` tells. */
const Degraded = ({ request }: { request: Request }) => {
  const said = exchangeOf(request).headers["x-degraded"]?.split(", ") ?? [];
  const codes = DEGRADATION_CODES.filter((code) => said.includes(code));
  if (codes.length === 0) return null;
  return (
    <aside class="degraded" aria-label="Reduced service">
      <Icon name="alert" />
      <div>
        {codes.map((code) => (
          <p>{WORDS[code]}</p>
        ))}
      </div>
    </aside>
  );
};
