import { byReference, type Case } from "./kinds.cases";

/** Names that every JavaScript object inherits. Looking up a word must not find them. */
const inheritedNames = byReference(
  "What creates an object in a class?",
  `
constructor | constructor ; The constructor. ; the constructor ; It is the constructor. | destructor ; 5 ; IDK ; method
the constructor | The constructor. ; constructor | destructor
__proto__ | __proto__ ; \`__proto__\` | prototype
toString | toString ; It is toString. | valueOf ; toJSON
valueOf | valueOf | toString
5 constructor | 5 constructor | 6 constructor ; destructor
hasOwnProperty | hasOwnProperty | constructor
`,
);

const reasoning = ["think", "thinking", "thought", "reasoning"].flatMap((tag) =>
  byReference(
    "What is the capital of France?",
    `Paris | <${tag}>Lyon is large.</${tag}> Paris. ; Lyon?</${tag}> Paris ; <${tag}>Or Lyon?</${tag}>The capital is Paris. | <${tag}>It could be Paris.</${tag}> Lyon. ; Paris?</${tag}> Lyon. ; <${tag}>Paris</${tag}> I don't know.`,
  ),
);

const primes = byReference(
  "What is the derivative called?",
  `
f'(x) | f'(x) ; It is f'(x). ; The answer is f'(x). ; Answer: f'(x) ; "f'(x)" ; \`f'(x)\` ; **f'(x)** ; f′(x) | f(x) ; f''(x) ; g'(x) ; f
f''(x) | f''(x) ; It is f''(x). ; f″(x) | f'(x) ; f(x) ; It is f(x).
y'(0) | y'(0) ; It is y'(0). ; **y'(0)** | y(0) ; y''(0)
`,
);

/** Kinds of names, tags and symbols in code and formulas. */
export const MARKUP_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "names that JavaScript objects inherit are ordinary words": inheritedNames,
  "reasoning before the answer is not the answer": reasoning,
  "a prime after a function is kept": primes,
};
