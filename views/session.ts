import { AppError } from "../lib/errors";

const SESSION_COOKIE = "groundwire";
/** With this prefix, browsers only accept the cookie if it is Secure, set by the same host and for the whole host. */
const SECURE_SESSION_COOKIE = "__Host-groundwire";
const THEME_COOKIE = "groundwire-theme";
const YEAR_SECONDS = 31_536_000;

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const cookie = (request: Request, name: string): string | undefined =>
  new Bun.CookieMap(request.headers.get("cookie") ?? "").get(name) || undefined;

/** Whether browsers use https, directly or through the proxy in `publicUrl`. */
const isSecure = (request: Request, publicUrl: string | undefined): boolean =>
  (publicUrl ?? request.url).startsWith("https:");

/**
 * Name of the session cookie. With https, the name without the prefix is ignored, because a sibling host could set it.
 */
const sessionCookieName = (request: Request, publicUrl: string | undefined): string =>
  isSecure(request, publicUrl) ? SECURE_SESSION_COOKIE : SESSION_COOKIE;

/** The session cookie of a request. `SessionService.verify` verifies its value. */
export const sessionCookie = (request: Request, publicUrl?: string): string | undefined =>
  cookie(request, sessionCookieName(request, publicUrl));

/** `set-cookie` value that stores a session until it expires. Without a session, it deletes the cookie. */
export const setSessionCookie = (
  request: Request,
  session: { cookie: string; expiresAt: Date } | undefined,
  publicUrl?: string,
): string => {
  const until = (session?.expiresAt ?? new Date(0)).toUTCString();
  const secure = isSecure(request, publicUrl) ? "; Secure" : "";
  return `${sessionCookieName(request, publicUrl)}=${session?.cookie ?? ""}; Path=/; Expires=${until}; HttpOnly; SameSite=Lax${secure}`;
};

/** The user's theme. The server renders it, so that pages don't flash in another theme. */
export const themeOf = (request: Request): Theme => {
  const chosen = cookie(request, THEME_COOKIE);
  return THEMES.find((theme) => theme === chosen) ?? "system";
};

export const setThemeCookie = (theme: Theme): string =>
  `${THEME_COOKIE}=${theme}; Path=/; SameSite=Lax; Max-Age=${YEAR_SECONDS}`;

/**
 * Rejects a write that another site sent with this browser's cookie. Checks `Sec-Fetch-Site`, or our origin in browsers
 * that don't send it. Throws insufficient_role.
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
    "This form was submitted from another site. Open the page on this site and submit it again.",
  );
};

/** Returns `path` if it is local and valid in a header, otherwise `/`. */
export const localPath = (path: string | null | undefined): string =>
  // Browsers treat "//host", "/\\host" and paths with control characters as other hosts.
  path && /^\/(?!\/)[!-[\]-~]*$/.test(path) ? path : "/";
