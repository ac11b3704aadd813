import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { maskCitations, maskMarkers } from "./citations";

/** The masked text, with repeated spaces collapsed. */
const left = (text: string): string => maskCitations(text).replace(/\s+/g, " ").trim();

describe("a citation marker is masked", () => {
  test.each([
    ["Paris is big [1].", "Paris is big ."],
    ["Paris is big[1].", "Paris is big ."],
    ["Paris is **big** [7].", "Paris is **big** ."],
    ["Paris is *very big* [7]", "Paris is *very big*"],
    ["Paris is **big** [^7][8].", "Paris is **big** ."],
    ["Paris is big [1, 2].", "Paris is big ."],
    ["Paris is big [1][2]. It is old.", "Paris is big . It is old."],
    ["Paris is big [1], [3] and [12].", "Paris is big , and ."],
    ["Paris is big [1-3].", "Paris is big ."],
    ["Paris is big [[1]].", "Paris is big ."],
    ["Paris is big [^1].", "Paris is big ."],
    ["Paris is big.[^1]\n\n[^1]: Guide to Paris, 2019", "Paris is big."],
    ["Paris is big ([1](https://example.com/a)).", "Paris is big ( )."],
    ["Paris is big【1】.", "Paris is big ."],
    ["Paris is big【1†source】.", "Paris is big ."],
    ["Paris is big【4:0†guide.pdf】.", "Paris is big ."],
    ["Paris is big (source 2).", "Paris is big ."],
    ["Paris is big (sources 1 and 3).", "Paris is big ."],
    ["Paris is big (Source: doc.pdf, p. 3).", "Paris is big ."],
    ["Paris is big (guide.pdf, page 12).", "Paris is big ."],
    ["Paris is big (p. 3).", "Paris is big ."],
    ["Paris is big [doc 3].", "Paris is big ."],
    ["Paris is big [Document 2, page 4].", "Paris is big ."],
    ["Paris is big [doc1].", "Paris is big ."],
    ["Paris is big [doc_1] [source-2].", "Paris is big ."],
    ["Paris is big [1†L3-L5].", "Paris is big ."],
    ["Paris is big <cite>1</cite>.", "Paris is big ."],
    ["Paris is big <sup>1</sup>.", "Paris is big ."],
    ['Paris is big <source>1</source> <doc id="1"/>.', "Paris is big ."],
    ['<cite index="0-1">Paris is big</cite>.', "Paris is big ."],
    ["Paris is big {{cite|1}} (cf. 2).", "Paris is big ."],
    ["Paris is big [Passage ID: 1].", "Paris is big ."],
    ["Here is what the documents say: Paris is big.", "Paris is big."],
    ["Paris is big {1}.", "Paris is big ."],
    ["Paris is big ^1.", "Paris is big ."],
    ["Paris is big. ^2", "Paris is big."],
    ["Paris is big [cite: 1, 2].", "Paris is big ."],
    ["Paris is big [city-guide.pdf].", "Paris is big ."],
    ["Paris is big [citation needed].", "Paris is big ."],
    ["Paris is big.¹ It is old.²", "Paris is big. It is old."],
    ["Paris is big **[1]**", "Paris is big ** **"],
    ["Paris is big (https://example.com/a).", "Paris is big ."],
    ["Paris is big [#1].", "Paris is big ."],
    ["Paris is big<sup>[1]</sup>.", "Paris is big ."],
    ["Paris is big.\n\nSources: [1] [2]", "Paris is big."],
    ["Paris is big.\n\n**Sources:** guide.pdf, https://example.com/paris", "Paris is big."],
    ["Paris is big.\n\n## References\n[1] Guide to Paris, 2019\n[2] The Seine", "Paris is big."],
    ["Paris is big. Source: [1]", "Paris is big."],
    ["[1] Paris is big.", "Paris is big."],
    ["Paris is big (1, 2).", "Paris is big ."],
    ["Paris is big [1, p. 45].", "Paris is big ."],
    ["Paris is big (Document 5, Section 2.3).", "Paris is big ."],
    ["Paris is big [Passage 2, line 14].", "Paris is big ."],
    ["Paris is big (see Section 3.2 of the document).", "Paris is big ."],
    ["Paris is big (Quelle: Dokument 2).", "Paris is big ."],
    ["Paris is big.\n\nReferences: 1, 2", "Paris is big."],
    ["Paris is big, as per the source [1].", "Paris is big, ."],
    ["From the text: Paris is big.", "Paris is big."],
    ["The answer, according to the second passage, is 1912.", "The answer, is 1912."],
    ["In Document 2, we read that Paris is big.", "Paris is big."],
  ])("%j", (text, expected) => expect(left(text)).toBe(expected));
});

describe("an attribution to the contexts is masked", () => {
  test.each([
    "According to the documents, Paris is big.",
    "According to document 2, Paris is big.",
    "According to [1], Paris is big.",
    "According to the passages 1 and 3, Paris is big.",
    "Based on the provided context, Paris is big.",
    "Based solely on the information given in the passages, Paris is big.",
    "Based on the documents you provided, Paris is big.",
    "As per the article, Paris is big.",
    "From the context, we know that Paris is big.",
    "In the given text, Paris is big.",
    "As mentioned in document 2, Paris is big.",
    "As stated above, Paris is big.",
    "As the passage says, Paris is big.",
    "The passage states that Paris is big.",
    "The second document also mentions that Paris is big.",
    "The text says Paris is big.",
    "The answer is that Paris is big.",
    "Answer: Paris is big.",
    "The provided sources clearly indicate that Paris is big.",
    "Document [2] states that Paris is big.",
    "Passage 3 notes that Paris is big.",
    "[1] states that Paris is big.",
    "It is stated in the context that Paris is big.",
    "We can see from the data that Paris is big.",
    "Document 1: Paris is big.",
    "In document 1, it is stated that Paris is big.",
    "Based on the provided documents and context, Paris is big.",
    "According to the retrieved context [1], Paris is big.",
    "Given the provided information, Paris is big.",
  ])("%j", (text) => expect(left(text)).toBe("Paris is big."));

  test("after the claim, too", () => {
    expect(left("Paris is big, according to the provided documents.")).toBe("Paris is big, .");
    expect(left("Paris is big, as stated in passage 1.")).toBe("Paris is big, .");
    expect(left("Paris is big (see [2]).")).toBe("Paris is big ( ).");
  });
});

describe("text that belongs to the sentence is kept", () => {
  test.each([
    "According to Smith, Paris is big.",
    "It holds for x^2.",
    "The volume is 3 m ^3.",
    "The set is {1, 2}.",
    "The difference is small [2, p < 0.05].",
    "The site (Section 8, Block 2) is big.",
    "In 2021, we read that Paris is big.",
    "The answer to the poll is from the text: it is big.",
    "According to the World Bank, it grew.",
    "According to the text of the law, it is free.",
    "Documents released by the court show that he left.",
    "It was founded in [2021].",
    "The road is long (2 km).",
    "They won (3) and lost (1) game.",
    "array[1] is the second element.",
    "x[0] = 5",
    "Then `items[1]` is removed.",
    "The list is [1, 2, 3].",
    "Then sum([1, 2]) is 3.",
    "It returns [1].",
    "The value lies in the range [0, 1].",
    "Digits match [0-9]+ in full.",
    "He said it was “grate” [sic].",
    "The temperature was 12 [°C].",
    "The area is 105 km² and 10⁶ people live there.",
    "E = mc² is known.",
    "The source of the Nile is disputed (source of pride).",
    "The GDPR (Article 5) sets the principles.",
    "The text does not say that Paris is big.",
    "In the text message, he agreed.",
    "The article was written by Smith.",
    "His passage to India took a week.",
    "The sources of the Nile are two lakes.",
    "Open the settings (config.json) first.",
    "The document costs 5 euros.",
  ])("%j", (text) => expect(maskCitations(text)).toBe(text));
});

test("masking keeps the length and changes only the masked characters to spaces", () => {
  const part = fc.constantFrom(
    ...["[1]", "【2】", "According to ", "the documents", ", ", "\n", "Sources: ", "👍", "(source 2)", "¹", "`a[1]`"],
    ...["Paris", " is ", "[1, ", "]", ". ", "\ue000", "https://x.org", "guide.pdf", "p. 3", "\ud800"],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 20 }), (parts) => {
      const text = parts.join("");
      for (const masked of [maskMarkers(text), maskCitations(text)]) {
        expect(masked).toHaveLength(text.length);
        for (let at = 0; at < text.length; at++) expect([text[at] ?? "", " "]).toContain(masked[at] ?? "");
      }
    }),
    { numRuns: 500 },
  );
});
