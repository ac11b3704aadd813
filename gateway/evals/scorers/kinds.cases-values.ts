import { byReference, type Case } from "./kinds.cases";

const identity = [
  ...byReference(
    "Which one is it?",
    `
AT&T | AT&T ; at&t. ; **AT&T** ; The answer is AT&T. ; "AT&T" | AOL ; Verizon
M&M's | M&M's ; **M&M's** ; \`M&M's\` ; The answer is **M&M's**. | Skittles ; Mars
{a, b} | {a, b} ; The answer is {a, b}. ; \`{a, b}\` | {c, d}
to be or not to be | To be or not to be. ; **to be or not to be** ; The answer is to be or not to be. | the question is open
Not I | Not I ; Not I. ; "Not I" | Krapp's Last Tape
¹ | ¹ ; **¹** ; The answer is ¹. | ² ; none
① | ① ; ①. | ②
+ | + ; **+** ; \`+\` ; The answer is **+**. | - ; **-**
-> | -> ; **->** ; \`->\` | <-
( | ( ; "(" ; The answer is (. | ) ; [
[] | [] ; \`[]\` ; The answer is []. | {} ; [0]
?: | ?: ; \`?:\` ; The answer is ?:. | ::
-1 | -1 ; \`-1\` ; **-1** ; \\boxed{-1} | 1 ; \`1\`
No. 5 | No. 5 ; **No. 5** ; The answer is No. 5. | No. 6
https://example.com/a?b=1 | https://example.com/a?b=1 ; <https://example.com/a?b=1> ; [link](https://example.com/a?b=1) | https://example.com/a?b=2
I don't know how she does it | I don't know how she does it ; *I don't know how she does it* | I don't know.
None | None ; \`None\` ; The answer is None. | Some of it
`,
  ),
];

const verdicts = [
  ...byReference(
    "Is the museum free on Sundays?",
    `
Yes | Yes. ; yes ; Yes, it is free on Sundays. ; It is free on Sundays. ; Sure! ; Absolutely. ; Correct. ; True ; Oui ; Ja ; Sí ; はい ; 是的 ; I would say yes. ; The museum is free on Sundays, yes. | Bananas. ; 5 ; It costs 5 euros. ; On Mondays only. ; The capital of France is Paris. ; The museum is closed on Sundays. ; No. ; Yes and no. ; いいえ ; It depends. ; maybe ; It isn't free. ; IDK
True | True ; T ; Yes ; It is true. | False ; F ; 5 ; None ; It is not true.
No | No ; No, it isn't. ; Not on Sundays. ; Never. ; Nein ; It is not free. ; It isn't free on Sundays. ; いいえ ; нет | Yes. ; It is free. ; Bananas. ; No doubt: yes. ; No problem, it is free. ; It is warm.
False | False ; F ; No. ; It is false. ; not true | True ; T ; yes ; not false ; Bananas
ja | ja ; Ja. ; yes | Bananen. ; nein
oui | oui ; Oui, bien sûr. | non ; Bananes
`,
  ),
  ...byReference(
    "Was Mozart born in Salzburg?",
    "Yes, he was born in Salzburg. | Yes. ; He was born in Salzburg. | No. ; In Vienna. ; Bananas.",
  ),
  ...byReference(
    "Was Mozart born in Salzburg?",
    "Yes | Yes. ; He was born in Salzburg. ; Mozart was born in Salzburg. | He was born in Vienna. ; In Vienna. ; 1756 ; Leopold was born in Salzburg.",
  ),
  ...byReference(
    "Can penguins fly?",
    "No | No, they can't. ; Penguins cannot fly. ; They can't fly. | Yes ; Penguins can fly. ; They swim.",
  ),
  ...byReference(
    "Does the contract cover water damage?",
    "Yes | Yes, it does. ; The contract covers water damage. ; It covers water damage. | The contract covers fire. ; Only fire damage is covered. ; It does not cover water damage.",
  ),
  ...byReference("What does the function return?", "True | It returns True. ; `True` | 5 ; 1 == 2 ; It returns False."),
  ...byReference(
    "True or false: water boils at 100 °C at sea level.",
    "True | True. ; It is true. ; Water boils at 100 °C at sea level. | False. ; 90 °C ; It boils at 80 °C.",
  ),
];

const abstentions = byReference(
  "Who wrote the letter?",
  `
unknown | The author is unknown. ; None ; null ; Das weiß ich nicht. ; No se sabe. ; keine Angabe ; IDK | Peter ; Unknown Mortal Orchestra
N/A | n/a ; The name of the author is not known. ; None | Mary ; no
No side effects were reported. | No side effects were reported. | Side effects were reported. ; IDK
Mary | Mary ; I think it was Mary. | IDK ; None ; The author is unknown. ; null
none | None ; none. ; None | Mary
`,
);

/** Kinds of values found in use. */
export const VALUE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "the reference itself passes in any wrapping": identity,
  "a yes or no must be stated": verdicts,
  "abstentions in more forms": abstentions,
};
