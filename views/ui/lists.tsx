import type { Child } from "hono/jsx";

/** A page's own address with other values in its query; an empty value leaves its name out. */
export const withQuery = (path: string, query: Record<string, string | undefined>): string => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
};

/** What of a query string says something. */
export const withoutEmpty = <T extends object>(query: T): T =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value)) as T;

/** Fields above a list; what they hold stands in the address, so that a link shows the same. */
export const Filters = ({ action, children }: { action: string; children: Child }) => (
  <search>
    <form class="filters" method="get" action={action}>
      {children}
      <button type="submit" class="secondary">
        Filter
      </button>
    </form>
  </search>
);

/** Leads to the next page of a list, and back to its start. */
export const Pager = ({
  path,
  query,
  next,
}: {
  path: string;
  query: Record<string, string | undefined>;
  next: string | null;
}) => {
  const isFirst = query.after === undefined;
  if (isFirst && next === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {!isFirst && <a href={withQuery(path, { ...query, after: undefined })}>First page</a>}
      {next !== null && (
        <a class="button secondary" href={withQuery(path, { ...query, after: next })}>
          Next page
        </a>
      )}
    </nav>
  );
};
