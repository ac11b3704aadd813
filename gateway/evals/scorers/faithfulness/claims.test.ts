import { describe, expect, test } from "bun:test";
import { claimSpans } from "./claims";

const textsOf = (output: string): string[] => claimSpans(output).map(({ text }) => text);

const BODY = "The fee is 5 euros.";

describe("a heading is not a claim", () => {
  test.each([
    ["## Overview\n", "\n"],
    ["# Fees\n\n", ""],
    ["###### Fees and charges in 2024\n", ""],
    ["## Fees ##\n", ""],
    ["## **Fees**\n", ""],
    ["## 1. Fees\n", ""],
    ["## Fees [1]\n", ""],
    ["**Overview**\n", ""],
    ["**Overview:**\n\n", ""],
    ["__Overview__\n", ""],
    ["***Overview***\n", ""],
    ["1. **Fees**\n", ""],
    ["Overview\n========\n", ""],
    ["Overview\n---\n", ""],
    ["Overview:\n- ", ""],
    ["**Fees**: \n", ""],
    ["## Übersicht\n", ""],
    ["## 料金\n", ""],
    ["## Required documents\n", ""],
    ["## Summary\n### Details\n", ""],
    ["", "\n\n## Sources\n[1] [2]"],
    ["## Answer\n\n", "\n\n---\n"],
  ])("%j before a claim and %j after it", (before, behind) => {
    expect(textsOf(`${before}${BODY}${behind}`)).toEqual([BODY]);
  });

  test.each([
    ["# 3 people died\nThe fee is 5 euros.", ["3 people died", BODY]],
    ["## The fee is 7 euros\nThe fee is 5 euros.", ["The fee is 7 euros", BODY]],
    ["**The fee was raised in May**\nThe fee is 5 euros.", ["The fee was raised in May", BODY]],
    ["**Prices increased by 5 %**\n\nThe fee is 5 euros.", ["Prices increased by 5 %", BODY]],
    ["## It costs money.\nThe fee is 5 euros.", ["It costs money.", BODY]],
    ["**Paris**", ["Paris"]],
    ["# Paris", ["Paris"]],
    ["## Answer\n**Paris**", ["Paris"]],
    ["**6,650 km**", ["6,650 km"]],
    ["**Paris** is the capital.", ["Paris** is the capital."]],
    ["- **Paris**: the capital\n- **Lyon**: a city", ["Paris**: the capital", "Lyon**: a city"]],
    ["**Paris**\n**Lyon**", ["Paris", "Lyon"]],
    ["The #1 song\nwas sung by Queen.", ["The #1 song", "was sung by Queen."]],
    ["Die Gebühr\nThe fee is 5 euros.", ["Die Gebühr", BODY]],
  ])("%j has the claims %p", (output, claims) => {
    expect(textsOf(output).map((text) => text.replace(/^\*\*|\*\*$/g, ""))).toEqual(claims);
  });

  test.each([
    ["| Town | Fee |\n|---|---|\n| Oslo | 5 |\n| Bergen | 7 |", ["Oslo | 5 |", "Bergen | 7 |"]],
    ["Town | Fee\n:--- | ---:\nOslo | 5", ["Oslo | 5"]],
    ["Oslo | 5\nBergen | 7", ["Oslo | 5", "Bergen | 7"]],
  ])("the header and separator rows of the table %j are not claims either", (output, claims) => {
    expect(textsOf(output).map((text) => text.replace(/^\| /, ""))).toEqual(claims);
  });
});

describe("an abstention with a reason makes no claim", () => {
  test.each([
    "The documents do not mention the price, so I cannot answer.",
    "I don't know, since the context only covers 2021.",
    "There is no information about the price in the provided context.",
    "I cannot answer this because the documents do not contain the price.",
    "The price is not mentioned in the context.",
    "The context only covers 2021, so I cannot answer the question about 2022.",
    "Based on the provided documents, I cannot determine the price, as it is not mentioned.",
    "Unfortunately, the provided context does not contain information about the price of the ticket.",
    "I'm sorry, but I could not find the price in the documents.",
    "The documents don't say how much it costs. I therefore can't answer.",
    "It is not clear from the context when the museum opens.",
    "The passage does not specify a price, and I have no other information.",
    "No price is given in the documents.",
    "The text says nothing about the price.",
    "Nothing in the context indicates the price.",
    "The provided context lacks information about the price.",
    "I was unable to find any information about the price.",
    "The price isn't stated anywhere in the sources [1][2].",
    "The question cannot be answered from the given context.",
    "I do not have enough information to answer, because the passages are about another topic.",
    "Die Dokumente enthalten keine Informationen über den Preis.",
    "Ich kann diese Frage anhand des Kontexts nicht beantworten.",
    "Das wird im Kontext nicht erwähnt.",
    "El contexto no menciona el precio.",
    "No hay información sobre el precio en el contexto.",
    "Le contexte ne mentionne pas le prix.",
    "コンテキストには価格に関する情報がありません。",
    "This isn't covered in the provided documents.",
    "It isn't clear from the text.",
    "There's nothing about that in the documents.",
    "There is nothing on the price in the text.",
    "The provided information is insufficient to determine the price.",
    "The text is silent on the price.",
    "The documents are silent about this.",
    "El contexto no lo menciona.",
    "Le contexte ne le précise pas.",
    "Der Kontext nennt es nicht.",
  ])("%j", (output) => expect(textsOf(output)).toEqual([]));

  test.each([
    "The documents do not mention the price, but it was 500 euros.",
    "I don't know, but I think it was 500 euros.",
    "The price is not mentioned in the context; however, it is 500 euros.",
    "I cannot find the exact date, although it was probably in 1998.",
    "The context does not mention the price, and it was 500 euros.",
    "There is no information about the price, which was 500 euros.",
    "I don't know the date, only that the king died in 1645 in Oslo.",
    "The documents do not state it; the price was 500 euros.",
    "The king did not know his father.",
    "The law does not mention dogs.",
    "Die Dokumente enthalten keinen Preis, aber er liegt bei 500 Euro.",
    "El contexto no menciona el precio, pero es de 500 euros.",
    "Water damage isn't covered by the policy.",
    "The film is silent.",
    "There's nothing on the table.",
    "The evidence was insufficient to convict him.",
    "Der Kontext nennt es nicht, aber der Preis beträgt 500 Euro.",
  ])("%j also makes a claim", (output) => expect(textsOf(output)).not.toEqual([]));
});
