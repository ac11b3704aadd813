/* Filters in the syntax of Upstash Vector: https://upstash.com/docs/vector/features/filtering. */

type Test = (metadata: Record<string, unknown>) => boolean;

const TOKEN = /\s*(?:(>=|<=|=|>|<|\(|\))|'([^']*)'|"([^"]*)"|([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?))/gy;

/** Throws on anything that the syntax doesn't have. */
export const parseFilter = (text: string): Test => {
  const tokens: { word?: string; value?: string | number | boolean }[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`Invalid filter: ${text}`);
    const [, symbol, single, double, name, number] = match;
    const quoted = single ?? double;
    if (quoted !== undefined) tokens.push({ value: quoted });
    else if (number !== undefined) tokens.push({ value: Number(number) });
    else if (name === "true" || name === "false") tokens.push({ value: name === "true" });
    else tokens.push({ word: symbol ?? name });
  }
  const take = () => tokens.shift() ?? {};
  const takes = (word: string): boolean => tokens[0]?.word === word && tokens.shift() !== undefined;
  const demand = (word: string): void => {
    if (!takes(word)) throw new Error(`Invalid filter, expected ${word}: ${text}`);
  };
  const anyOf = (): Test => {
    const tests = [allOf()];
    while (takes("OR")) tests.push(allOf());
    return (metadata) => tests.some((passes) => passes(metadata));
  };
  const allOf = (): Test => {
    const tests = [condition()];
    while (takes("AND")) tests.push(condition());
    return (metadata) => tests.every((passes) => passes(metadata));
  };
  const condition = (): Test => {
    if (takes("(")) {
      const inner = anyOf();
      demand(")");
      return inner;
    }
    if (takes("HAS")) {
      const isWanted = !takes("NOT");
      demand("FIELD");
      const { word: field = "" } = take();
      return (metadata) => Object.hasOwn(metadata, field) === isWanted;
    }
    return comparison(take().word, take().word, take().value);
  };
  const comparison = (field = "", operator = "", operand: unknown): Test => {
    const isComparable = operator === "=" ? operand !== undefined : typeof operand === "number";
    if (!isComparable) throw new Error(`Invalid filter: ${text}`);
    return (metadata) => {
      const value = metadata[field];
      if (operator === "=") return value === operand;
      if (typeof value !== "number" || typeof operand !== "number") return false;
      if (operator === ">") return value > operand;
      if (operator === ">=") return value >= operand;
      return operator === "<" ? value < operand : value <= operand;
    };
  };
  const test = anyOf();
  if (tokens.length > 0) throw new Error(`Invalid filter: ${text}`);
  return test;
};
