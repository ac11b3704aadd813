/** Names of the blocks in a judge's prompt. */
type Block = "question" | "references" | "contexts" | "answer" | "claims";

/** At each place there is one way to read the spaces, so that a long text of them takes no longer than its length. */
const TAG = /<(?=\s*(?:\/\s*)?(?:question|references?|contexts?|answer|claims?|system|user|assistant)\b)/gi;

/**
 * A text from elsewhere inside a block of its own. What looks like the border of a block in it is rewritten, so that no
 * answer can end its block and speak to the judge as somebody else.
 */
export const fence = (block: Block, text: string): string => `<${block}>\n${text.replaceAll(TAG, "‹")}\n</${block}>`;

/** Several texts in one block, numbered from 1. */
export const fenceList = (block: Block, texts: readonly string[]): string =>
  fence(block, texts.map((text, index) => `[${index + 1}] ${text}`).join("\n"));
