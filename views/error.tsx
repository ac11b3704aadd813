import { exchangeOf } from "../gateway/http/exchange";
import { type AppError, withoutRoutes } from "../lib/errors";
import { retryAfterHeaders } from "../lib/retry-after";
import { Plain, Shell, screenOf } from "./layout";
import { html, isHtmx, PAGE_HEADERS, page } from "./ui/html";
import { ButtonLink, ErrorPanel, errorTitle, RequestId } from "./ui/parts";

/** Path of the sign-in page, with the address to return to. For a submitted form, that is the form's page. */
const signInPath = (request: Request): string => {
  const { headers, method, url } = request;
  const isOpened = method === "GET" && !isHtmx(request);
  const shown = isOpened ? url : (headers.get(isHtmx(request) ? "hx-current-url" : "referer") ?? "");
  const { pathname, search } = new URL(shown, url);
  const back = URL.canParse(shown) ? pathname + search : "/";
  return `/sign-in?return=${encodeURIComponent(back)}${isOpened ? "" : "&ended=true"}`;
};

/**
 * Renders a page's error. Users who are not signed in are redirected to sign-in. For an htmx request, the error is
 * shown in the alert region and the rest of the page stays. Otherwise the error is a page.
 */
export const errorPage = async (error: AppError, request: Request, requestId: string): Promise<Response> => {
  if (error.kind === "missing_api_key") {
    const location = signInPath(request);
    return isHtmx(request)
      ? new Response(null, { status: 401, headers: { ...PAGE_HEADERS, "hx-redirect": location } })
      : new Response(null, { status: 303, headers: { ...PAGE_HEADERS, location } });
  }
  const headers = retryAfterHeaders(error);
  if (isHtmx(request)) {
    const target = { "hx-retarget": "#alerts", "hx-reswap": "innerHTML" };
    return html(<ErrorPanel error={error} requestId={requestId} />, error.status, { ...headers, ...target });
  }
  // The user opened the address to which a form is submitted. The page with the form is one level up.
  if (error.kind === "method_not_allowed" && request.method === "GET") {
    const { pathname } = new URL(request.url);
    const location = pathname.slice(0, pathname.lastIndexOf("/")) || "/";
    return new Response(null, { status: 303, headers: { ...PAGE_HEADERS, location } });
  }
  const { principal } = exchangeOf(request);
  const Frame = principal ? Shell : Plain;
  const screen = error.kind === "not_found" ? screenOf(new URL(request.url).pathname, principal) : undefined;
  return page(
    <Frame title={errorTitle(error)} request={request} principal={principal}>
      <div class="error-page">
        <p class="status-code">{error.status}</p>
        <h1>{errorTitle(error)}</h1>
        <p>{withoutRoutes(error.message)}</p>
        <p>
          <ButtonLink
            href={screen?.path ?? (principal ? "/" : "/sign-in")}
            text={screen ? `Go to ${screen.name.toLowerCase()}` : principal ? "Go to the home page" : "Sign in"}
          />
        </p>
        <p class="fine">Request {principal ? <RequestId id={requestId} /> : <code>{requestId}</code>}</p>
      </div>
    </Frame>,
    error.status,
    headers,
  );
};
