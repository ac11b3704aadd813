import type { Key } from "../../gateway/keys/contract";
import type { LimitsExplanation } from "../../gateway/limits/contract";
import { type Frame, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { Table } from "../ui/lists";
import { Ago, ButtonLink, number, Time } from "../ui/parts";
import { money, percent } from "../ui/quantities";
import {
  LIMIT_LABELS,
  LIMIT_NAMES,
  type LimitsForm,
  rowsOf,
  STORE_LOSS_WORDS,
  UNIT_WORDS,
  WINDOW_WORDS,
} from "./limits-form";

/** The list of keys, as the parent of other pages. */
export const KEYS = { path: "/keys", name: "Keys" };
const optionsOf = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));
const YES = [{ value: "yes", label: "Observe only" }];

interface LimitsPageProps extends Frame {
  record: Key;
  form: LimitsForm;
  /** Ids of the models on the nodes. */
  models: readonly string[];
  currency: string;
  problems?: Problems;
}

/** The form that changes the limits of a key. */
export const LimitsPage = ({ record, form, models, currency, problems, ...frame }: LimitsPageProps) => {
  const { text, select, choice } = fieldsOf(form, problems);
  const whole = { inputmode: "numeric", autocomplete: "off" };
  const hints = {
    requestsPerMinute: "Blank: the default",
    parallelRequests: "Blank: the default",
    tokensPerMinute: "Prompts and answers. Blank: no limit",
  };
  return (
    <Screen
      {...frame}
      title={`Limits of ${record.name}`}
      trail={[KEYS, { path: `/keys/${record.id}`, name: record.name }]}
      problems={problems}
      note="Changes apply within a second. Earlier use counts against the new limits."
    >
      <Form
        action={`/keys/${record.id}/limits`}
        look="card form wide"
        data-busy="Saving…"
        submit="Save limits"
        cancel={`/keys/${record.id}`}
      >
        <div class="field-row">
          {LIMIT_NAMES.map((name) => text(name, LIMIT_LABELS[name], { ...whole, hint: hints[name] }))}
        </div>
        <fieldset>
          <legend>Budgets</legend>
          <p class="hint">
            Every budget applies. “Per day (UTC)” resets at midnight UTC; “in 24 hours” always counts the last 24 hours.
            Money is in {currency}, for the machine time that the key uses. Clear an amount to remove its budget.
          </p>
          {rowsOf(form, "budget").map((row) => (
            <div class="limit-row">
              {text(`budget_${row}_amount`, `Amount ${row + 1}`, { inputmode: "decimal", autocomplete: "off" })}
              {select(`budget_${row}_unit`, "Unit", optionsOf(UNIT_WORDS))}
              {select(`budget_${row}_window`, "Window", optionsOf(WINDOW_WORDS))}
              {choice(`budget_${row}_observe`, `Budget ${row + 1}`, "checkbox", YES)}
            </div>
          ))}
        </fieldset>
        <fieldset>
          <legend>Limits for single models</legend>
          <p class="hint">
            These apply in addition to the limits above. Budgets for single models are set through the API; this form
            keeps them.
            {models.length > 0 && ` Models: ${models.join(", ")}.`}
          </p>
          {rowsOf(form, "model").map((row) => (
            <div class="limit-row">
              {text(`model_${row}_name`, `Model ${row + 1}`, { autocomplete: "off", spellcheck: "false" })}
              {LIMIT_NAMES.map((name) => text(`model_${row}_${name}`, LIMIT_LABELS[name], whole))}
              {choice(`model_${row}_observe`, `Model ${row + 1}`, "checkbox", YES)}
            </div>
          ))}
        </fieldset>
        {choice("observeOnly", "Trying out", "checkbox", [
          {
            value: "yes",
            label: "Observe all limits of this key",
            hint: "Requests over a limit are counted in the metrics, but not refused",
          },
        ])}
        {select("onStoreLoss", "If Redis is unreachable", optionsOf(STORE_LOSS_WORDS), {
          hint: "Only applies if several gateways share one Redis",
        })}
      </Form>
    </Screen>
  );
};

type LimitState = LimitsExplanation["limits"][number];
type Consumer = LimitsExplanation["consumers"][number];

const PERIODS: Readonly<Record<string, string>> = { "3600": "hour", "86400": "day", "2592000": "month" };

const amountOf = (unit: LimitState["unit"], amount: number, currency: string): string =>
  unit === "money" ? money(amount, currency) : number(Math.round(amount * 10) / 10);

/** "2,000,000 tokens per day (UTC)", "$40.00 in 30 days". */
const nameOf = ({ name, unit, limit, window, window_seconds }: LimitState, currency: string): string => {
  const amount = amountOf(unit, limit, currency);
  if (name === "parallel_requests") return `${amount} parallel requests`;
  const noun = unit === "money" ? "" : ` ${UNIT_WORDS[unit].replace(/^[RT]/, (letter) => letter.toLowerCase())}`;
  if (window === "none") return `${amount}${noun} in total`;
  if (window_seconds === 60) return `${amount}${noun} per minute`;
  const period = PERIODS[String(window_seconds)] ?? "";
  if (window === "calendar") return `${amount}${noun} per ${period} (UTC)`;
  return `${amount}${noun} in ${{ hour: "60 minutes", day: "24 hours", month: "30 days" }[period]}`;
};

/** A key's current use of its limits, and its recent consumers. */
export const KeyLimits = ({ record, explanation }: { record: Key; explanation: LimitsExplanation }) => {
  const { currency, limits, consumers } = explanation;
  return (
    <div class="key-limits">
      <div class="heading">
        <h2>Limits</h2>
        {!record.is_bootstrap && record.status === "active" && (
          <div class="actions">
            <ButtonLink href={`/keys/${record.id}/limits`} icon="edit" text="Edit limits" look="button secondary" />
          </div>
        )}
      </div>
      <Table
        caption="Limits"
        rows={limits}
        columns={[
          {
            name: "Limit",
            isLong: true,
            cell: (limit) => nameOf(limit, currency),
            note: ({ model, mode }) =>
              [model && `for ${model}`, mode === "observe" && "observed, never refuses"].filter(Boolean).join(", "),
          },
          {
            name: "Used",
            isNumeric: true,
            cell: ({ unit, used, limit }) => `${amountOf(unit, used, currency)} (${percent(used / limit)})`,
          },
          { name: "Left", isNumeric: true, cell: ({ unit, remaining }) => amountOf(unit, remaining, currency) },
          { name: "Free again", cell: ({ resets_at }) => (resets_at ? <Time at={resets_at} /> : "") },
        ]}
      />
      {consumers.length > 0 && (
        <>
          <h3>Used in the last hour by</h3>
          <Table caption="Used in the last hour by" rows={consumers} columns={CONSUMER_COLUMNS} />
        </>
      )}
    </div>
  );
};

const CONSUMER_COLUMNS = [
  { name: "Route", cell: ({ route }: Consumer) => <code>{route}</code> },
  { name: "Model", cell: ({ model }: Consumer) => model ?? "all requests of the route" },
  { name: "Run", cell: ({ run_id }: Consumer) => run_id && <a href={`/batch-evals/${run_id}`}>{run_id}</a> },
  { name: "Requests", isNumeric: true, cell: ({ requests }: Consumer) => number(requests) },
  { name: "Tokens", isNumeric: true, cell: ({ model, tokens }: Consumer) => model && number(tokens) },
  { name: "GPU-seconds", isNumeric: true, cell: ({ model, gpu_seconds }: Consumer) => model && number(gpu_seconds) },
  { name: "Last used", cell: ({ last_used_at }: Consumer) => <Ago at={last_used_at} /> },
];
