import { type Frame, Plain, Screen } from "../layout";
import { fieldsOf } from "../ui/fields";

interface SignInPageProps extends Frame {
  /** Local path to open afterwards. */
  returnTo: string;
  problem?: string;
  /** Message above the form, such as why the session ended. */
  note?: string;
}

/** The form that starts a session with a key. The browser does not store the key. */
export const SignInPage = ({ returnTo, problem, note, ...frame }: SignInPageProps) => (
  <Plain {...frame} title={problem ? "Error: Sign in" : "Sign in"}>
    <form class="card form" method="post" action="/sign-in" novalidate>
      <h1>Sign in</h1>
      {note && <p>{note}</p>}
      <input type="hidden" name="return" value={returnTo} />
      {fieldsOf({}, problem ? { key: problem } : {}).text("key", "Your key", {
        hint: "It begins with gw_. An admin makes one for you under Keys.",
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
 * The page of a one-time link. Only its button uses the link, because chat programs and mail scanners fetch links for
 * previews.
 */
export const LinkPage = ({ token, returnTo, ...frame }: Frame & { token: string; returnTo: string }) => (
  <Plain {...frame} title="Sign in">
    <form class="card form" method="post" action="/sign-in">
      <h1>Welcome to Groundwire</h1>
      <p>This link signs you in once, on this browser.</p>
      <input type="hidden" name="token" value={token} />
      <input type="hidden" name="return" value={returnTo} />
      <button type="submit" autofocus>
        Sign in
      </button>
    </form>
  </Plain>
);

/** Start page of a metrics key. It explains what the key is for, because the key opens no other page. */
export const MetricsKeyPage = ({ origin, ...frame }: Frame & { origin: string }) => (
  <Screen
    {...frame}
    title="Metrics key"
    heading="This key reads metrics"
    note="It is for a monitoring system such as Prometheus. It can't open other pages or use a model."
  >
    <div class="card form">
      <h2>Try it</h2>
      <pre class="as-typed">
        <code>{`curl -H "authorization: Bearer $GROUNDWIRE_KEY" ${origin}/metrics`}</code>
      </pre>
      <h2>Configure Prometheus</h2>
      <pre class="as-typed">
        <code>{scrapeConfig(new URL(origin))}</code>
      </pre>
      <p>
        To chat or see results, sign out and use another key. An admin can create one on the Keys page, with the role
        viewer, member, editor or admin.
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
