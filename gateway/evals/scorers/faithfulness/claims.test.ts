import { describe, expect, test } from "bun:test";
import { claimSpans } from "./claims";

const textsOf = (output: string): string[] => claimSpans(output).map(({ text }) => text);

const BODY = "The fee is 5 euros.";

describe("a heading is no claim", () => {
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
  ])("%j before and %j behind a claim", (before, behind) => {
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
  ])("the header and separator rows of the table %j are none", (output, claims) => {
    expect(textsOf(output).map((text) => text.replace(/^\| /, ""))).toEqual(claims);
  });
});
