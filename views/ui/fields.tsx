import { type TProperties, Type } from "@sinclair/typebox";
import { t } from "elysia";
import type { Child } from "hono/jsx";

/** Schema of a form or a query string. Other fields that a browser sends are ignored. */
export const Fields = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: true });

/** Schema of an optional field. */
export const text = (maxLength: number) => t.Optional(t.String({ maxLength }));

/** Schema of a field, with its value in an empty form. */
export const typed = (maxLength: number, empty = "") => t.String({ maxLength, default: empty });

/** Errors of a form by field name. */
export type Problems = Readonly<Record<string, string>>;

/** The error summary of a rejected form. It gets the focus and links to each field with an error. */
export const ErrorSummary = ({ problems }: { problems: Problems }) => {
  const entries = Object.entries(problems);
  if (entries.length === 0) return null;
  return (
    <div class="panel problem summary" role="alert" tabindex={-1} autofocus>
      <div>
        <h2>There is a problem</h2>
        <ul>
          {entries.map(([name, problem]) => (
            <li>
              <a href={`#${name}`}>{problem}</a>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
};

interface FieldOptions {
  /** Id of the control, if several forms on the page have a field of this name. */
  id?: string;
  hint?: Child;
  /** Further attributes of the control, such as `autocomplete` or `maxlength`. */
  [attribute: string]: Child;
}

/** A choice; a plain string is its own label. */
export type Choice = string | { value: string; label: string; hint?: Child };

const choiceOf = (choice: Choice) => (typeof choice === "string" ? { value: choice, label: choice } : choice);

/** Hint and error of a control, whose `aria-describedby` refers to them. */
export const Notes = ({ id, hint, problem }: { id: string; hint?: Child; problem: string | undefined }) => (
  <>
    {hint && (
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    )}
    {problem && (
      <p class="field-problem" id={`${id}-problem`}>
        {problem}
      </p>
    )}
  </>
);

/** The fields of one form, filled with `values`. `problems` are the errors of a rejected form. */
export const fieldsOf = (values: object, problems: Problems = {}) => {
  const given = values as Readonly<Record<string, unknown>>;

  const describedBy = (id: string, hint: Child, problem: string | undefined): string | undefined =>
    [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;

  const field = (name: string, label: string, options: FieldOptions, control: (ties: object) => Child) => {
    const { id = name, hint, ...attributes } = options;
    const problem = problems[name];
    const state = { "aria-describedby": describedBy(id, hint, problem), "aria-invalid": problem ? "true" : undefined };
    return (
      <div class={problem ? "field refused" : "field"}>
        <label for={id}>{label}</label>
        <Notes id={id} hint={hint} problem={problem} />
        {control({ id, name, ...state, ...attributes })}
      </div>
    );
  };
  const textOf = (name: string): string => String(given[name] ?? "");

  return {
    text: (name: string, label: string, options: FieldOptions = {}) =>
      field(name, label, options, (ties) => <input type="text" value={textOf(name)} {...ties} />),

    area: (name: string, label: string, options: FieldOptions = {}) =>
      field(name, label, options, (ties) => (
        <textarea rows={3} {...ties}>
          {textOf(name)}
        </textarea>
      )),

    /** A file field. Browsers don't keep a chosen file, so the user has to choose it again after an error. */
    file: (name: string, label: string, options: FieldOptions) =>
      field(name, label, options, (ties) => <input type="file" {...ties} />),

    select: (name: string, label: string, choices: readonly Choice[], options: FieldOptions = {}) =>
      field(name, label, options, (ties) => (
        <select {...ties}>
          {choices.map(choiceOf).map(({ value, label }) => (
            <option value={value} selected={value === textOf(name)}>
              {label}
            </option>
          ))}
        </select>
      )),

    /** A few choices that are all visible. radio: one choice; checkbox: any number. */
    choice: (
      name: string,
      legend: string,
      type: "radio" | "checkbox",
      choices: readonly Choice[],
      { id = name, hint }: FieldOptions = {},
    ) => {
      const problem = problems[name];
      const chosen = [given[name]].flat();
      // The first option has the id of the field, so that a link of the error summary focuses it.
      const optionId = (index: number): string => (index === 0 ? id : `${id}-${index}`);
      // Only a group of radio buttons can be invalid as a group; checkboxes are separate.
      const invalid = problem ? "true" : undefined;
      const role = type === "radio" ? { role: "radiogroup", "aria-invalid": invalid } : {};
      return (
        <fieldset
          class={problem ? "choices refused" : "choices"}
          {...role}
          aria-describedby={describedBy(id, hint, problem)}
        >
          <legend>{legend}</legend>
          <Notes id={id} hint={hint} problem={problem} />
          {choices.map(choiceOf).map((each: Exclude<Choice, string>, index) => (
            <div class="choice">
              <input
                type={type}
                name={name}
                id={optionId(index)}
                value={each.value}
                checked={chosen.includes(each.value)}
                aria-invalid={type === "checkbox" ? invalid : undefined}
                aria-describedby={each.hint ? `${id}-${index}-hint` : undefined}
              />
              <div>
                <label for={optionId(index)}>{each.label}</label>
                <Notes id={`${id}-${index}`} hint={each.hint} problem={undefined} />
              </div>
            </div>
          ))}
        </fieldset>
      );
    },
  };
};

interface FormProps {
  action: string;
  /** Text of the button. */
  submit: string;
  kind?: "secondary" | "danger";
  /** Address of the link beside the button. */
  cancel?: string;
  /** Class of the form. */
  look?: string;
  children?: Child;
  /** Further attributes of the form. */
  [attribute: string]: Child;
}

/** A form with its button at the end. The server validates it. */
export const Form = ({ action, submit, kind, cancel, look = "card form", children, ...attributes }: FormProps) => (
  <form class={look} method="post" action={action} novalidate {...(attributes as object)}>
    {children}
    <div class="form-end">
      <button type="submit" class={kind}>
        {submit}
      </button>
      {cancel && <a href={cancel}>Cancel</a>}
    </div>
  </form>
);

/** Attributes of a form that htmx submits, and that also works without scripts. */
export const posts = (path: string, target: string, swap = "innerHTML") => ({
  method: "post" as const,
  action: path,
  "hx-post": path,
  "hx-target": target,
  "hx-swap": swap,
});

/** Attributes of a button that stops the work that its form started. */
export const stops = (path: string) => ({
  formaction: path,
  formnovalidate: true,
  "hx-post": path,
  "hx-swap": "none",
});

interface ConfirmProps {
  opener: Child;
  title?: string;
  action: string;
  submit: string;
  children: Child;
}

/** A deletion with a confirmation box below its opener. */
export const Confirm = ({ opener, title, action, submit, children }: ConfirmProps) => (
  <details class="confirm">
    <summary class="opener" title={title}>
      {opener}
    </summary>
    <form class="confirmation" method="post" action={action}>
      <p>{children}</p>
      <button type="submit" class="danger">
        {submit}
      </button>
    </form>
  </details>
);
