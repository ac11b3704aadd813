import type { Child } from "hono/jsx";

/** Errors of a form by field name. */
export type Problems = Readonly<Record<string, string>>;

/** Error summary above the title of a rejected form. Gets the focus and links to each field. */
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

interface FieldProps {
  name: string;
  /** Id of the control, if several forms on the page have a field of this name. */
  id?: string;
  label: string;
  hint?: Child;
  problem?: string;
}

/** Label, hint and error around a control; `control` gets the attributes that connect them. */
const Field = ({ name, id = name, label, hint, problem, control }: FieldProps & { control: (ties: Ties) => Child }) => {
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  const ties = {
    id,
    name,
    "aria-describedby": described || undefined,
    "aria-invalid": problem ? "true" : undefined,
  };
  return (
    <div class={problem ? "field refused" : "field"}>
      <label for={id}>{label}</label>
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
      {control(ties)}
    </div>
  );
};

interface Ties {
  id: string;
  name: string;
  "aria-describedby": string | undefined;
  "aria-invalid": string | undefined;
}

interface TextFieldProps extends FieldProps {
  value?: string;
  type?: "text" | "password" | "number" | "search";
  /** Further attributes of the input, such as `autocomplete` or `maxlength`. */
  attributes?: Record<string, string | number | boolean>;
}

export const TextField = ({ value = "", type = "text", attributes, ...field }: TextFieldProps) => (
  <Field {...field} control={(ties) => <input type={type} value={value} {...ties} {...attributes} />} />
);

interface TextAreaProps extends FieldProps {
  value?: string;
  rows?: number;
  attributes?: Record<string, string | number | boolean>;
}

export const TextAreaField = ({ value = "", rows = 3, attributes, ...field }: TextAreaProps) => (
  <Field
    {...field}
    control={(ties) => (
      <textarea rows={rows} {...ties} {...attributes}>
        {value}
      </textarea>
    )}
  />
);

/** Browsers don't keep a chosen file, so after a rejection the hint asks to choose it again. */
export const FileField = ({ accept, ...field }: FieldProps & { accept: string }) => (
  <Field {...field} control={(ties) => <input type="file" accept={accept} {...ties} />} />
);

interface ChoiceFieldProps {
  name: string;
  id?: string;
  legend: string;
  hint?: Child;
  /** radio: one choice; checkbox: any number. */
  type: "radio" | "checkbox";
  value: readonly string[];
  options: readonly { value: string; label: string; hint?: Child }[];
  problem?: string;
}

/** A few choices that are all visible. */
export const ChoiceField = ({ name, id = name, legend, hint, type, value, options, problem }: ChoiceFieldProps) => (
  <fieldset
    class={problem ? "choices refused" : "choices"}
    id={id}
    // Only a group of radio buttons can be invalid as a group; checkboxes are separate.
    role={type === "radio" ? "radiogroup" : undefined}
    aria-invalid={type === "radio" && problem ? "true" : undefined}
    aria-describedby={problem && `${id}-problem`}
  >
    <legend>{legend}</legend>
    {hint && <p class="hint">{hint}</p>}
    {problem && (
      <p class="field-problem" id={`${id}-problem`}>
        {problem}
      </p>
    )}
    {options.map((option, index) => (
      <div class="choice">
        <input
          type={type}
          name={name}
          id={`${id}-${index}`}
          value={option.value}
          checked={value.includes(option.value)}
          aria-invalid={type === "checkbox" && problem ? "true" : undefined}
          aria-describedby={option.hint ? `${id}-${index}-hint` : undefined}
        />
        <div>
          <label for={`${id}-${index}`}>{option.label}</label>
          {option.hint && (
            <p class="hint" id={`${id}-${index}-hint`}>
              {option.hint}
            </p>
          )}
        </div>
      </div>
    ))}
  </fieldset>
);

interface SelectFieldProps extends FieldProps {
  value?: string;
  options: readonly { value: string; label: string }[];
}

export const SelectField = ({ value, options, ...field }: SelectFieldProps) => (
  <Field
    {...field}
    control={(ties) => (
      <select {...ties}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    )}
  />
);
