/** Characters of the texts in a value of a sample; of chat messages what they say. In UTF-16 units. */
export const countCharacters = (value: unknown): number => {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countCharacters(item), 0);
  if ("content" in value) return countCharacters(value.content);
  return "text" in value ? countCharacters(value.text) : 0;
};
