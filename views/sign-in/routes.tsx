import { Elysia, t } from "elysia";
import type { Audit } from "../../gateway/audit/service";
import { createClientAddress } from "../../gateway/http/client-address";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows } from "../../gateway/http/route-facts";
import type { Principal } from "../../gateway/principal";
import { SignInBrake } from "../../gateway/sessions/brake";
import type { SessionService } from "../../gateway/sessions/service";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { retryAfterHeaders } from "../../lib/retry-after";
import { type Frame, homePath, Plain, Screen } from "../layout";
import { localPath, sessionCookie, setSessionCookie } from "../session";
import { Fields, fieldsOf, text } from "../ui/fields";
import { page, redirect } from "../ui/html";

const REFUSED_KEY = "That key does not work. Check it, or ask an admin for a new one.";
const REFUSED_LINK = "That link was already used or has expired. Sign in with a key.";

/** Path to open after signing in. A metrics key can open only the home page, which explains it. */
const landingPath = ({ role }: Principal, returnTo: string): string => (role === "metrics" ? "/" : returnTo);

interface SignInServices {
  sessions: SessionService;
  audit: Pick<Audit, "refused">;
  config: Pick<Config, "gateway">;
}

/** `/`, `/sign-in` and `/sign-out`: a key or a one-time link starts a session. */
export const signInRoutes = ({ sessions, audit, config }: SignInServices) => {
  const { publicUrl, trustedProxies } = config.gateway;
  const brake = new SignInBrake();
  const clientAddress = createClientAddress(trustedProxies);
  return new Elysia({ name: "views.sign-in" })
    .get(
      "/",
      ({ request }) => {
        const { principal } = exchangeOf(request);
        if (principal?.role !== "metrics") return redirect(request, homePath(principal));
        const origin = publicUrl ?? new URL(request.url).origin;
        return page(<MetricsKeyPage request={request} principal={principal} origin={origin} />);
      },
      { detail: allows("public") },
    )
    .get(
      "/sign-in",
      ({ request, query }) => {
        const returnTo = localPath(query.return);
        if (query.token) return page(<LinkPage request={request} token={query.token} returnTo={returnTo} />);
        const { principal } = exchangeOf(request);
        if (principal) return redirect(request, landingPath(principal, returnTo));
        const isEnded = query.ended !== undefined || sessionCookie(request, publicUrl) !== undefined;
        const note = isEnded ? "Your session ended. Sign in to continue where you left off." : undefined;
        return page(<SignInPage request={request} returnTo={returnTo} note={note} />);
      },
      {
        query: Fields({
          return: t.Optional(t.String()),
          /** Set by a redirect from a page whose session had ended: the browser may have dropped the expired cookie. */
          ended: t.Optional(t.String()),
          token: text(200),
        }),
        detail: allows("public"),
      },
    )
    .post(
      "/sign-in",
      async ({ request, body, server }) => {
        const returnTo = localPath(body.return);
        const key = body.key?.trim() ?? "";
        if (!body.token && key === "") {
          return page(<SignInPage request={request} returnTo={returnTo} problem="Enter your key" />, 422);
        }
        const peer = server?.requestIP(request)?.address ?? "";
        const address = clientAddress(peer, request.headers.get("x-forwarded-for"));
        const { requestId } = exchangeOf(request);
        try {
          brake.check(address);
          const options = { previous: sessionCookie(request, publicUrl), requestId };
          const session = body.token ? await sessions.redeem(body.token, options) : await sessions.signIn(key, options);
          const path = landingPath(session.principal, returnTo);
          return redirect(request, path, { "set-cookie": setSessionCookie(request, session, publicUrl) });
        } catch (error) {
          if (!(error instanceof AppError && (error.status === 401 || error.status === 429))) throw error;
          const refused = (problem: string) => <SignInPage request={request} returnTo={returnTo} problem={problem} />;
          if (error.status === 429) return page(refused(error.message), 429, retryAfterHeaders(error));
          brake.failed(address);
          audit.refused({ address, with: body.token ? "link" : "key", requestId });
          return page(refused(body.token ? REFUSED_LINK : REFUSED_KEY), 422);
        }
      },
      {
        body: Fields({
          key: text(1000),
          token: text(200),
          return: text(2000),
        }),
        detail: allows("public"),
      },
    )
    .post(
      "/sign-out",
      async ({ request }) => {
        const session = sessionCookie(request, publicUrl);
        if (session) await sessions.signOut(session, exchangeOf(request).requestId);
        return redirect(request, "/sign-in", { "set-cookie": setSessionCookie(request, undefined, publicUrl) });
      },
      { detail: allows("public") },
    );
};

interface SignInPageProps extends Frame {
  /** Local path to open after signing in. */
  returnTo: string;
  problem?: string;
  /** Message above the form, such as why the session ended. */
  note?: string;
}

/** The form that starts a session with a key. The browser does not store the key. */
const SignInPage = ({ returnTo, problem, note, ...frame }: SignInPageProps) => (
  <Plain {...frame} title={problem ? "Error: Sign in" : "Sign in"}>
    <form class="card form" method="post" action="/sign-in" novalidate>
      <h1>Sign in</h1>
      {note && <p>{note}</p>}
      <input type="hidden" name="return" value={returnTo} />
      {fieldsOf({}, problem ? { key: problem } : {}).text("key", "Your key", {
        hint: "It starts with gw_. An admin can create one for you on the Keys page.",
        type: "password",
        autocomplete: "current-password",
        spellcheck: "false",
        autofocus: true,
      })}
      <button type="submit">Sign in</button>
    </form>
  </Plain>
);

/**
 * The page of a one-time link. Only its button uses the link, because chat apps and mail scanners fetch links for
 * previews.
 */
const LinkPage = ({ token, returnTo, ...frame }: Frame & { token: string; returnTo: string }) => (
  <Plain {...frame} title="Sign in">
    <form class="card form" method="post" action="/sign-in">
      <h1>Welcome to Groundwire</h1>
      <p>This link works once. It signs you in on this browser.</p>
      <input type="hidden" name="token" value={token} />
      <input type="hidden" name="return" value={returnTo} />
      <button type="submit" autofocus>
        Sign in
      </button>
    </form>
  </Plain>
);

/** Home page of a metrics key. It explains what the key is for, because the key opens no other page. */
const MetricsKeyPage = ({ origin, ...frame }: Frame & { origin: string }) => (
  <Screen
    {...frame}
    title="Metrics key"
    heading="This key reads metrics"
    note="It is for a monitoring system such as Prometheus. It can’t open other pages or use a model."
  >
    <div class="card form">
      <h2>Try it</h2>
      <pre class="as-typed">
        <code>{`curl -H "authorization: Bearer $GROUNDWIRE_API_KEY" ${origin}/metrics`}</code>
      </pre>
      <h2>Configure Prometheus</h2>
      <pre class="as-typed">
        <code>{scrapeConfig(new URL(origin))}</code>
      </pre>
      <p>
        To chat or see results, sign out and use another key. An admin can create one on the Keys page, with the viewer,
        member, editor or admin role.
      </p>
    </div>
  </Screen>
);

const scrapeConfig = ({ protocol, host }: URL): string => `scrape_configs:
  - job_name: groundwire
    scheme: ${protocol.replace(":", "")}
    authorization:
      credentials_file: /etc/prometheus/groundwire.key
    static_configs:
      - targets: ["${host}"]`;
