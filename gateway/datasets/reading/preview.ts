import type { NewSample } from "../sample-contract";

const MAX_CHARACTERS = 500;
const MAX_ITEMS = 10;

/** A sample for a page: texts end after 500 characters, lists after 10 items. */
export const toPreview = (sample: NewSample): NewSample => shorten(sample) as NewSample;

const shorten = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > MAX_CHARACTERS ? `${cut(value)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(shorten);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
};

/** A pair of surrogates is one character and is not torn. */
const cut = (text: string): string => text.slice(0, MAX_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
