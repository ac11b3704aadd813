/**
 * `hx-status:422` and the like, whose names JSX can't spell: what becomes of an answer with that status. Values are
 * htmx's, such as "target:#form swap:outerHTML".
 */
export const onStatus = (rules: Record<number | `${number}xx`, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(rules).map(([status, rule]) => [`hx-status:${status}`, rule]));
