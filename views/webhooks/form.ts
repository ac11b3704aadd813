import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import type { CreateWebhook, Webhook } from "../../gateway/webhooks/contract";
import { EVENT_TYPES } from "../../gateway/webhooks/event-contract";
import { WEBHOOK_ID_PATTERN } from "../../gateway/webhooks/service";
import { AppError } from "../../lib/errors";
import { Fields, type Problems, text, typed } from "../ui/fields";

/** The form's fields, as submitted. Browsers omit unchecked boxes, and send a single one as text. */
export const WebhookFormBody = Fields({
  url: typed(4000),
  description: typed(1000),
  events: t.Optional(t.Union([t.Array(t.String({ maxLength: 100 })), t.String({ maxLength: 100 })])),
});
/** `id` is the id of the webhook to create, so that submitting the form twice creates one webhook. */
export const NewWebhookBody = Type.Object(
  {
    ...WebhookFormBody.properties,
    id: t.String({ pattern: WEBHOOK_ID_PATTERN, examples: [`wh_${"0123456789abcdef".repeat(2)}`] }),
  },
  { additionalProperties: true },
);

export interface WebhookForm {
  url: string;
  description: string;
  /** Empty: every type. */
  events: readonly string[];
}

export const EMPTY_FORM: WebhookForm = { url: "", description: "", events: [] };

export const formOf = ({ url, description, events }: Webhook): WebhookForm => ({
  ...{ url, description },
  events: events ?? [],
});

export const submittedForm = ({ url, description, events }: Static<typeof WebhookFormBody>): WebhookForm => ({
  url: url.trim(),
  description: description.trim(),
  events: [events ?? []].flat(),
});

/** Converts the form to a request, or returns problems by field. The service checks the address. */
export const readWebhookForm = (
  form: WebhookForm,
): { request: Required<CreateWebhook>; problems?: undefined } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  if (form.url === "") problems.url = "Enter an address, such as https://example.com/hooks";
  else if (form.url.length > 2000) problems.url = "The address can have up to 2,000 characters";
  if (form.description.length > 200) problems.description = "The description can have up to 200 characters";
  if (Object.keys(problems).length > 0) return { problems };
  const events = EVENT_TYPES.filter((type) => form.events.includes(type));
  return { request: { ...form, events: events.length > 0 ? events : null } };
};

/** The problem of an address that the service refused. Throws every other error. */
export const addressProblem = (thrown: unknown): Problems => {
  if (!(thrown instanceof AppError && thrown.detail.param === "url")) throw thrown;
  return { url: thrown.message.replace("`url`", "The address") };
};

/** Hours during which both secrets sign. */
export const OVERLAPS = ["1", "24", "168", "0"] as const;
export const RotateBody = Fields({ overlap: t.Union(OVERLAPS.map((hours) => t.Literal(hours))) });

export const ListQueryFields = Fields({ page: text(20), sort: text(20), done: text(20) });
export const WebhookQueryFields = Fields({ page: text(20), state: text(20), done: text(20) });
