import { Elysia, t } from "elysia";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Key, KeyWithSecret } from "../../gateway/keys/contract";
import { newKeyId } from "../../gateway/keys/format";
import { toExplanation } from "../../gateway/limits/wire";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import { frameOf } from "../layout";
import { Fields, type Problems } from "../ui/fields";
import { page, redirect } from "../ui/html";
import { readPage, readSort } from "../ui/lists";
import {
  confirmationOf,
  EMPTY_FORM,
  isConfirmed,
  KeyFormBody,
  readKeyForm,
  readSettingsForm,
  type SettingsForm,
  SettingsFormBody,
  settingsFieldOf,
  toSettingsForm,
} from "./form";
import { issueOnce } from "./issue";
import { LimitsPage } from "./limits";
import { fieldOfProblem, type LimitsForm, LimitsFormBody, readLimitsForm, toLimitsForm } from "./limits-form";
import { KeyExistsPage, KeyPage, KeysPage, OVERLAPS, SecretPage, SORT_KEYS } from "./page";
import { EditKeyPage, NewKeyPage } from "./settings";

const HOUR_SECONDS = 3600;
const PAGE_LENGTH = 50;

/** Messages on the list and on a key's page after an action, by `done` in the URL. */
const NOTICES: Readonly<Record<string, string>> = {
  revoked: "Key revoked. Requests with it now fail.",
  "signed-out": "Sessions ended. Browsers that used this key must sign in again.",
  limits: "Limits saved.",
  settings: "Settings saved.",
};
const noticeOf = (done: string | undefined): string => ownValue(NOTICES, done ?? "") ?? "";

interface KeyPageState {
  problems?: Problems;
  notice?: string;
}

/** `/keys`, for admins. */
export interface KeyPageServices extends Pick<Services, "config" | "keys" | "ledger" | "models" | "sessions"> {
  indexes: Pick<Services["indexes"], "names">;
}

export const keyPageRoutes = ({ config, keys, ledger, models, indexes, sessions }: KeyPageServices) => {
  /** Models on the nodes, including those that the user's key may not use. */
  const knownModels = (request: Request): string[] =>
    models.list({ ...principalOf(request), allowedModels: undefined }).map(({ id }) => id);
  const indexNames = async (request: Request) => (await indexes.names(principalOf(request))).map(({ name }) => name);
  const known = async (request: Request) => ({ models: knownModels(request), indexes: await indexNames(request) });
  /** Empty until a node has reported its models. */
  const unknownModels = (request: Request, { allowed_models, model_limits }: Key): string[] => {
    const available = knownModels(request);
    const named = new Set([...(allowed_models ?? []), ...model_limits.map(({ model }) => model)]);
    return available.length === 0 ? [] : [...named].filter((id) => !available.includes(id));
  };

  /** Shows a new key, or says that an earlier request with this form already created it. */
  const secretPage = async (request: Request, id: string, issue: () => Promise<KeyWithSecret>): Promise<Response> => {
    const created = await issueOnce(keys, id, issue);
    if ("existing" in created) return page(<KeyExistsPage {...frameOf(request)} record={created.existing} />, 409);
    const { issued } = created;
    const older = issued.rotated_from === null ? undefined : await keys.get(issued.rotated_from);
    const props = { ...frameOf(request), issued, unknownModels: unknownModels(request, issued) };
    return page(<SecretPage {...props} olderExpiresAt={older?.expires_at} />, 201);
  };

  const replacementOf = async ({ id }: Key) => (await keys.successors([id])).get(id);

  const keyPage = async (request: Request, record: Key, { problems, notice = "" }: KeyPageState = {}) => {
    const principal = await keys.principalOf(record.id);
    const [replacedBy, explained] = await Promise.all([replacementOf(record), ledger.explain(principal)]);
    const explanation = toExplanation(principal, explained, Date.now());
    const props = { ...frameOf(request), record, replacedBy, explanation, notice, problems, successorId: newKeyId() };
    return page(<KeyPage {...props} unknownModels={unknownModels(request, record)} />, problems ? 422 : 200);
  };

  const settingsPage = async (request: Request, record: Key, form: SettingsForm, problems?: Problems) => {
    const props = { ...frameOf(request), ...(await known(request)), record, form, problems };
    return page(<EditKeyPage {...props} />, problems ? 422 : 200);
  };

  const limitsPage = (request: Request, record: Key, form: LimitsForm, problems?: Problems) => {
    const { currency } = config.gateway;
    const props = { ...frameOf(request), record, form, problems, currency, models: knownModels(request) };
    return page(<LimitsPage {...props} />, problems ? 422 : 200);
  };

  return new Elysia({ name: "views.keys", prefix: "/keys" })
    .guard({ detail: allows("admin") })
    .get(
      "",
      async ({ request, query }) => {
        const sort = readSort(query.sort, SORT_KEYS, { by: "created", isDescending: true });
        const shown = await keys.listNumbered({ page: readPage(query.page), pageLength: PAGE_LENGTH, sort });
        const notice = noticeOf(query.done);
        const successors = await keys.successors(shown.data.map(({ id }) => id));
        return page(<KeysPage {...{ ...frameOf(request), keys: shown, successors, sort, notice }} />);
      },
      {
        query: Fields({ page: t.Optional(t.String()), sort: t.Optional(t.String()), done: t.Optional(t.String()) }),
      },
    )
    .get("/new", async ({ request }) => {
      const form = { ...EMPTY_FORM, id: newKeyId() };
      return page(<NewKeyPage {...frameOf(request)} {...(await known(request))} form={form} />);
    })
    .post(
      "",
      async ({ request, body }) => {
        const principal = principalOf(request);
        const form = { ...EMPTY_FORM, ...body };
        const read = readKeyForm(form, new Date());
        if ("problems" in read) {
          const props = { ...frameOf(request), ...(await known(request)), form, problems: read.problems };
          return page(<NewKeyPage {...props} />, 422);
        }
        return secretPage(request, body.id, () => keys.create(principal, read.request, { id: body.id }));
      },
      { body: KeyFormBody },
    )
    .get(
      "/:id",
      async ({ request, params, query }) =>
        keyPage(request, await keys.get(params.id), { notice: noticeOf(query.done) }),
      { query: Fields({ done: t.Optional(t.String()) }) },
    )
    .get("/:id/settings", async ({ request, params }) => {
      const record = await keys.get(params.id);
      return settingsPage(request, record, toSettingsForm(record));
    })
    .post(
      "/:id/settings",
      async ({ request, params, body }) => {
        const record = await keys.get(params.id);
        const read = readSettingsForm(body, record, new Date());
        if ("problems" in read) return settingsPage(request, record, body, read.problems);
        try {
          if (Object.keys(read.request).length > 0) await keys.update(principalOf(request), record.id, read.request);
        } catch (thrown) {
          if (!(thrown instanceof AppError && ["invalid_request", "conflict"].includes(thrown.kind))) throw thrown;
          return settingsPage(request, record, body, { [settingsFieldOf(thrown.detail.param)]: thrown.message });
        }
        return redirect(request, `/keys/${record.id}?done=settings`);
      },
      { body: SettingsFormBody },
    )
    .get("/:id/limits", async ({ request, params }) => {
      const record = await keys.get(params.id);
      return limitsPage(request, record, toLimitsForm(record));
    })
    .post(
      "/:id/limits",
      async ({ request, params, body }) => {
        const record = await keys.get(params.id);
        const form = body as LimitsForm;
        const read = readLimitsForm(form, record);
        if ("problems" in read) return limitsPage(request, record, form, read.problems);
        try {
          await keys.update(principalOf(request), record.id, read.request);
        } catch (thrown) {
          if (!(thrown instanceof AppError && thrown.kind === "invalid_request")) throw thrown;
          return limitsPage(request, record, form, { [fieldOfProblem(form, thrown.detail.param)]: thrown.message });
        }
        return redirect(request, `/keys/${record.id}?done=limits`);
      },
      { body: LimitsFormBody },
    )
    .post(
      "/:id/rotate",
      ({ request, params, body: { id, overlap } }) =>
        secretPage(request, id, () =>
          keys.rotate(principalOf(request), params.id, { grace_seconds: Number(overlap) * HOUR_SECONDS }, { id }),
        ),
      { body: Fields({ id: KeyFormBody.properties.id, overlap: t.Union(OVERLAPS.map((hours) => t.Literal(hours))) }) },
    )
    .post("/:id/end-sessions", async ({ request, params }) => {
      await sessions.endAll(principalOf(request), params.id);
      return redirect(request, "/keys?done=signed-out");
    })
    .post(
      "/:id/revoke",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const record = await keys.get(params.id);
        const isRotated = (await replacementOf(record)) !== undefined;
        if (!isConfirmed(body.confirm, record, isRotated)) {
          const problems = { confirm: `Type “${confirmationOf(record, isRotated)}” to revoke this key` };
          return keyPage(request, record, { problems });
        }
        await keys.revoke(principal, params.id);
        return redirect(request, "/keys?done=revoked");
      },
      { body: Fields({ confirm: t.String({ maxLength: 1000 }) }) },
    );
};
