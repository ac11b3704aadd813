import type { Child } from "hono/jsx";

/** One entry of a `dl`; empty without a value. */
export const Fact = ({ name, children }: { name: string; children?: Child }) =>
  children ? (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  ) : null;

/** Entries of a `dl` by name; those without a value are left out. */
export const Facts = ({ look, rows }: { look?: string; rows: readonly (readonly [name: string, value: Child])[] }) => (
  <dl class={look}>
    {rows.map(([name, value]) => (
      <Fact name={name}>{value}</Fact>
    ))}
  </dl>
);

/** Texts of a sample or an answer under one name, unchanged. */
export const Texts = ({ name, texts, id }: { name: string; texts: readonly string[]; id?: string }) => (
  <div id={id}>
    <dt>{name}</dt>
    {texts.length === 0 ? (
      <dd class="nothing">none</dd>
    ) : (
      texts.map((text) => <dd class="verbatim">{text || <em class="nothing">empty</em>}</dd>)
    )}
  </div>
);
