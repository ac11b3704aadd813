import { AppError } from "../lib/errors";

const SESSION_COOKIE = "groundwire";
/** The prefix makes browsers refuse the cookie unless it is Secure, for the whole host and set by that host. */
const SECURE_SESSION_COOKIE = "__Host-groundwire";
const THEME_COOKIE = "groundwire-theme";
const YEAR_SECONDS = 31_536_000;

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const cookie = (request: Request, name: string): string | undefined => {
  for (const part of request.headers.get("cookie")?.split(";") ?? []) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value) return value;
  }
  return undefined;
};

/** True when browsers reach the gateway by https, directly or through the proxy that `publicUrl` names. */
const isSecure = (request: Request, publicUrl: string | undefined): boolean =>
  (publicUrl ?? request.url).startsWith("https:");

/** The one name that is written and read. Under https the plain one counts for nothing: a sibling host could plant it. */
const sessionCookieName = (request: Request, publicUrl: string | undefined): string =>
  isSecure(request, publicUrl) ? SECURE_SESSION_COOKIE : SESSION_COOKIE;

/** The session that a browser shows; its value is verified by `SessionService.verify`. */
export const sessionCookie = (request: Request, publicUrl?: string): string | undefined =>
  cookie(request, sessionCookieName(request, publicUrl));

/** `set-cookie` that keeps a session in the browser until it ends anyway; without a session: takes it away. */
export const setSessionCookie = (
  request: Request,
  session: { cookie: string; expiresAt: Date } | undefined,
  publicUrl?: string,
): string => {
  const until = (session?.expiresAt ?? new Date(0)).toUTCString();
  const secure = isSecure(request, publicUrl) ? "; Secure" : "";
  return `${sessionCookieName(request, publicUrl)}=${session?.cookie ?? ""}; Path=/; Expires=${until}; HttpOnly; SameSite=Lax${secure}`;
};

/** The theme that the reader chose; the server renders it, so that no page flashes in another one. */
export const themeOf = (request: Request): Theme => {
  const chosen = cookie(request, THEME_COOKIE);
  return THEMES.find((theme) => theme === chosen) ?? "system";
};

export const setThemeCookie = (theme: Theme): string =>
  `${THEME_COOKIE}=${theme}; Path=/; SameSite=Lax; Max-Age=${YEAR_SECONDS}`;

/**
 * Refuses a write that another site's page sent with this browser's cookie. `Sec-Fetch-Site` decides; browsers without
 * it must name our own origin. Throws insufficient_role.
 */
export const refuseForeignWrite = (request: Request, publicUrl: string | undefined): void => {
  if (request.method === "GET" || request.method === "HEAD") return;
  const site = request.headers.get("sec-fetch-site");
  if (site === "same-origin" || site === "none") return;
  const origin = request.headers.get("origin");
  const host = request.headers.get("host");
  const ours = [publicUrl && new URL(publicUrl).origin, `http://${host}`, `https://${host}`];
  if (site === null && origin !== null && ours.includes(origin)) return;
  throw new AppError(
    "insufficient_role",
    "This form was sent from another site. Open the page here and send it again.",
  );
};

/** `path` if it leads to one of our own pages and can stand in a header, else `/`. */
export const localPath = (path: string | null | undefined): string =>
  // A browser reads "//host", "/\\host" and anything with a control character as something else than a local path.
  path && /^\/(?!\/)[!-[\]-~]*$/.test(path) ? path : "/";
