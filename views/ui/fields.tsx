import type { Child } from "hono/jsx";

/** What is wrong with a form, by the name of its field. */
export type Problems = Readonly<Record<string, string>>;

/** Stands above the title of a form that was refused; takes the focus, and leads to each field. */
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
  label: string;
  hint?: Child;
  problem?: string;
}

/** Label, hint and problem around a control; `control` gets what ties them together. */
const Field = ({ name, label, hint, problem, control }: FieldProps & { control: (ties: Ties) => Child }) => {
  const described = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(" ");
  const ties = {
    id: name,
    name,
    "aria-describedby": described || undefined,
    "aria-invalid": problem ? "true" : undefined,
  };
  return (
    <div class={problem ? "field refused" : "field"}>
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="field-problem" id={`${name}-problem`}>
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
  type?: "text" | "password" | "number";
  /** Further attributes of the input, such as `autocomplete` or `maxlength`. */
  attributes?: Record<string, string | number | boolean>;
}

export const TextField = ({ value = "", type = "text", attributes, ...field }: TextFieldProps) => (
  <Field {...field} control={(ties) => <input type={type} value={value} {...ties} {...attributes} />} />
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
