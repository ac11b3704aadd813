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

const otherNumbers = byReference(
  "Which one is it?",
  `
World War II | World War II ; World War 2 ; WWII ; WW2 ; Second World War ; It was the Second World War. | World War I ; WWI ; First World War ; World War
World War I | World War I ; WWI ; First World War ; World War One | World War II ; WWII ; WW2
Vitamin B12 | Vitamin B12 ; vitamin B-12 ; It is vitamin B12. | Vitamin B6 ; Vitamin B1 ; Vitamin B
Vitamin A | Vitamin A ; It is vitamin A. | Vitamin C ; Vitamin B
Apollo 11 | Apollo 11 ; Apollo XI | Apollo 1 ; Apollo 13 ; Apollo
Elizabeth II | Elizabeth II ; Elizabeth the Second ; Queen Elizabeth II | Elizabeth I ; Elizabeth the First ; Elizabeth
Mary I | Mary I ; Mary the First ; Queen Mary I | Mary II ; Mary
Rocky IV | Rocky IV ; Rocky 4 | Rocky V ; Rocky ; Rocky III
Malcolm X | Malcolm X | Malcolm Y ; Malcolm
Python 3.10 | Python 3.10 ; It is Python 3.10. | Python 3.1 ; Python 3.11 ; Python 2
Windows 3.1 | Windows 3.1 | Windows 3.11 ; Windows 31 ; Windows 3.10
iOS 17.2.1 | iOS 17.2.1 ; Version 17.2.1 of iOS | iOS 17.2 ; iOS 17.21 ; iOS 17.2.2 ; iOS 17.1.2
192.168.1.1 | 192.168.1.1 ; The address is 192.168.1.1. | 192.168.1.2 ; 192.168.11 ; 192168.1.1
v2.0.0-rc.1 | v2.0.0-rc.1 ; 2.0.0-rc.1 | v2.0.0 ; v2.0.0-rc.2 ; v2.0.1-rc.1
Article 5(1)(a) | Article 5(1)(a) ; article 5 (1) (a) | Article 5(1)(b) ; Article 5(2)(a) ; Article 6(1)(a) ; Article 5
0x1F | 0x1F ; 0x1f ; The value is 0x1F. | 0x1E ; 1F0 ; 0
sp³ | sp³ ; It is sp³. | sp² ; sp
E=mc² | E=mc² ; E = mc^2 ; E = m c^2 | E=mc ; E=mc³
GPT-4 | GPT-4 ; GPT4 ; GPT 4 | GPT-3 ; GPT-3.5 ; GPT-4o
G7 | G7 ; G-7 ; the G7 | G8 ; G20
LH 441 | LH 441 ; LH441 ; Lufthansa LH441 | LH 414 ; LH 440 ; UA 441
Symphony No. 5 | Symphony No. 5 ; Fifth Symphony ; the 5th symphony | Symphony No. 6 ; Symphony No. 15
Chanel No. 5 | Chanel No. 5 ; Chanel N°5 ; Chanel number 5 | Chanel No. 19 ; Chanel
Beethoven's 9th Symphony | Beethoven's Ninth Symphony ; Symphony No. 9 by Beethoven | Beethoven's 5th Symphony
Q4 2023 | Q4 2023 ; 2023 Q4 ; 2023-Q4 | Q3 2023 ; Q4 2022
978-3-16-148410-0 | 978-3-16-148410-0 ; 9783161484100 | 978-3-16-148410-1
AT&T | AT&T ; AT and T ; It is AT and T. | T-Mobile ; AT and Verizon
Nothing Compares 2 U | Nothing Compares 2 U ; Nothing Compares to You | Nothing Else Matters
Boeing 747 first flew in 1969 | The Boeing 747 first flew in 1969. | The Boeing 747 first flew in 1959. ; The Boeing 737 first flew in 1969.
`,
);

/** The letter "s" is a unit after a space or a decimal number, but a plural in "1990s". */
const seconds = byReference(
  "How long did it take?",
  `
5 ms | 5 ms ; 5 milliseconds ; 0.005 s | 5 s ; 5 seconds
5 s | 5 s ; 5 seconds ; 5s ; 5000 ms | 5 ms
500 ms | 0.5 s ; 0.5 seconds ; 500 ms | 500 s ; 0.5 ms
10 min | 10 min ; 600 s ; 10 minutes | 10 s
800 µs | 0.8 ms ; 800 microseconds ; 800 µs | 800 ms ; 800 s
`,
).concat(byReference("When was it built?", "the 1990s | 1990s ; in the 1990s | the 1980s ; 1980s\n"));

/** A slash or an "or" next to a value does not separate alternatives. */
const wholeValues = byReference(
  "Which one is it?",
  `
a dose of 5 mg/kg per day | a dose of 5 mg/kg per day ; The dose is 5 mg/kg per day. | a dose of 50 mg/kg per day ; kg per day
a speed of 120 km/h on motorways | 120 km/h on motorways | a speed of 130 km/h on motorways ; h on motorways
The drug costs $49/month. | The drug costs $49/month. ; It costs $49 per month. | It is billed every month. ; The drug costs $94/month.
12 employees work in the R/D team | 12 employees work in the R/D team | 21 employees work in the R/D team ; the D team
87 mg/l at well N-17 | 87 mg/l at well N-17 | l at well N-17 ; 78 mg/l at well N-17
CUDA 12.4 or later | CUDA 12.4 or later | Later. ; I will look at it later. ; CUDA 11.8 or later
Python 3.10 or newer | Python 3.10 or newer | a newer one ; Python 3.8 or newer
version 5 or higher | version 5 or higher | higher ; version 3 or higher
10 days or less | 10 days or less | less ; 20 days or less
Paris or Lyon | Paris ; Lyon ; Paris or Lyon | Nice
aspirin/ibuprofen | aspirin ; ibuprofen | paracetamol
5 kilometres or 3 miles | 5 kilometres ; 3 miles | 8 kilometres ; 6 miles
`,
);

const symbols = byReference(
  "What is it?",
  `
√2 | √2 ; sqrt(2) ; the square root of 2 | 2 ; √3
3! | 3! ; 3 factorial | 3 ; 6!
2 | 2 ; 2.0 | √2
42 | 42 ; 42! ; It is 42! | 43!
!= null | != null ; It is != null. ; \`!= null\` | == null ; null
rm -rf / | rm -rf / ; Run rm -rf / now. | rm -rf . ; rm -r /
git reset --hard | git reset --hard ; Use \`git reset --hard\`. | git reset --soft ; git reset
x += 1 | x += 1 ; x+=1 ; Write x += 1; | x -= 1 ; x = 1
~/.bashrc | ~/.bashrc ; It is ~/.bashrc. | /etc/bashrc ; ~/.zshrc
/etc/passwd | /etc/passwd ; \`/etc/passwd\` | /etc/shadow ; passwd
p->next | p->next ; It is p->next. | p.next ; p->prev ; next
anna.b@x.org | anna.b@x.org ; mailto:anna.b@x.org | annab@x.org ; anna.c@x.org
Objective-C | Objective-C ; Objective C | Objective-C++ ; C++
`,
);

const functionWords = byReference(
  "What happened?",
  `
The light is on. | The light is on. ; The light is on now. | The light is off. ; The light isn't on.
before the war | before the war ; It was before the war. | after the war
more than the budget | more than the budget | less than the budget
inside the house | inside the house ; It is inside the house. | outside the house
Alice is older than Bob. | Alice is older than Bob. ; Bob is younger than Alice. | Bob is older than Alice. ; Alice is younger than Bob. ; Alice is not older than Bob.
The shop is open on Sundays. | The shop is open on Sundays. ; On Sundays the shop is open. | The shop is closed on Sundays.
on Monday | Monday ; on Monday | Tuesday
The lift goes up. | The lift goes up. | The lift goes down.
in Paris | Paris ; in Paris | in Rome
above the roof | above the roof | below the roof
`,
);

const units = byReference(
  "How much is it?",
  `
500 mg | 500 mg ; 0.5 g ; 500 milligrams | 500 µg ; 500 μg ; 500 g ; 500 ng
10 µg | 10 μg ; 10 micrograms ; 10 mcg ; 0.01 mg | 10 mg ; 10 ng
3 GHz | 3 GHz ; 3 gigahertz ; 3000 MHz | 3 MHz ; 3 Hz
100 kWh | 100 kWh ; 0.1 MWh | 100 MWh ; 100 kW
16 GiB | 16 GiB | 16 MiB
5 mg/kg | 5 mg/kg ; 5 mg per kg | 5 mg/ml ; 5 mg ; 5 g/kg
$5 per month | $5 per month ; $5/month ; $5 a month ; It is $5 a month. | $5 per year ; $5/week ; $5 a week
500 mg per day | 500 mg per day ; 0.5 g per day | 500 mg per week
half a million | 500,000 ; 0.5 million ; half a million | 1 million ; 50,000
a million and a half | 1.5 million ; 1,500,000 | 1 million ; 2.5 million
half an hour | 30 minutes ; 0.5 hours | half a day ; 1 hour
one in five | 1/5 ; 20% ; 1 in 5 ; 0.2 | 5 ; 1 in 4
two out of three | 2/3 ; 2 out of 3 | 3 out of 2 ; 1/3
≤ 3 | at most 3 ; no more than 3 ; maximum 3 ; max. 3 | at least 3 ; 3 or more
273.15 K | 273.15 K | 273.15 °C
98.6°F | 98.6 °F | 98.6°C ; 98.6 kelvin
40 hectares | 40 ha ; 40 hectares | 40 acres
ibuprofen 400 mg twice daily | ibuprofen 400 mg twice daily | ibuprofen 400 mg three times daily ; ibuprofen 400 mg once daily
twice daily | twice daily ; 2x daily ; 2× daily ; two times a day | once daily ; 3x daily ; twice weekly
90^\\circ | 90° ; 90 degrees ; 90^{\\circ} | 90°C ; 90 °F ; 180°
a dozen | twelve ; 12 ; a dozen | two dozen ; 24
a dozen eggs | a dozen eggs ; 12 eggs ; twelve eggs ; It takes a dozen eggs. | two dozen eggs ; 24 eggs
3/4 | \\frac{3}{4} ; $\\dfrac{3}{4}$ | \\frac{4}{3}
AD 476 | 476 CE ; 476 AD ; 476 | 476 BC
1939–1945 | 1939-1945 ; 1939-45 | 1914-1918
Tuesday, January 5, 2021 | 2021-01-05 ; January 5, 2021 | 2021-01-06
`,
);

/** A value inside a reference equals the same value in any notation, with its sign and bound. */
const valuesInside = byReference(
  "What does the report say?",
  `
The temperature was -5 °C. | -5 °C ; It was -5 °C. ; The temperature that night was -5 °C. ; minus 5 °C ; The temperature was minus five degrees Celsius. | 5 °C ; It was 5 °C. ; The temperature was 5 °C. ; -6 °C ; -5 °F
The root is -3. | -3 ; It is -3. ; minus three | 3 ; The root is 3. ; -4
The limit is <42. | <42 ; less than 42 ; The limit is < 42. | 42 ; >42 ; <43 ; The limit is 42.
a loss of -$3 million | -$3 million ; -$3,000,000 | $3 million ; -$4 million ; -€3 million
25 people | twenty-five people ; 25 people attended. ; about 25 people | 26 people ; twenty-six people ; 2.5 people
twenty-five people | 25 people ; Twenty-five people attended. | 26 people ; 52 people
1 million people | 1,000,000 people ; one million people ; 1000000 people | 1,000 people ; 2 million people ; 1 billion people
The city has 2 million inhabitants. | 2,000,000 ; 2 million ; 2,000,000 inhabitants ; The city has 2,000,000 inhabitants. | 2,000 ; 3 million ; 200,000 inhabitants
1,200 students | 1.200 students ; 1200 students ; twelve hundred students | 12 students ; 1,300 students ; 1.3 students
50% of pupils | half of pupils ; half of the pupils ; 50 percent of pupils | a third of pupils ; 5% of pupils
<20 patients | less than 20 patients ; fewer than 20 patients ; <20 patients took part | 20 patients ; more than 20 patients ; >20 patients
>5 employees | more than 5 employees | 5 employees ; less than 5 employees
-5 points | minus 5 points ; -5 points ; minus five points | 5 points ; +5 points
less than 20 patients | fewer than 20 patients ; <20 patients ; less than 20 patients | 20 patients ; more than 20 patients ; at least 20 patients
at least 12 students | at least 12 students ; at least twelve students ; 12 or more students ; ≥12 students | 12 students ; at most 12 students ; at least 13 students
He was born on 15.01.1967. | January 15, 1967 ; He was born on January 15, 1967. ; 15 January 1967 | January 16, 1967 ; 15 January 1966 ; He was born on January 5, 1967.
The treaty was signed on 3 March 1918. | 1918-03-03 ; 3 March 1918 ; March 3, 1918 | 1918-03-04 ; 1917-03-03 ; 3 May 1918
It starts at 17:30. | 5:30 PM ; It starts at 5:30 PM. ; 17:30 | 5:30 AM ; 17:31 ; 6:30 PM
The meeting is at 5:30 PM. | 17:30 ; The meeting is at 17:30. ; 5:30 PM | 5:30 AM ; 16:30
He died in 44 BC. | 44 BCE ; 44 BC ; He died in 44 BCE. | 44 AD ; 45 BC ; 44 CE ; AD 44
It was released in June 2014. | 2014-06 ; June 2014 ; 06/2014 | 2014-07 ; July 2014 ; June 2013
๑๐๐ | 100 ; ๑๐๐ | 101 ; 10
2563 | ๒๕๖๓ ; 2563 | ๒๕๖๒
120 | ᠑᠒᠐ ; ໑໒໐ ; ១២០ ; ၁၂၀ | ໑໒໑ ; ၁၂၁
2 milliards d'euros | 2 000 000 000 euros ; 2 milliards d'euros | 2 000 000 euros ; 2 millions d'euros
9 мая 1945 года | 09.05.1945 ; 9 мая 1945 | 08.05.1945 ; 9 мая 1944
10 Uhr | 10 Uhr ; 10:00 | 22 Uhr ; 11 Uhr ; 10 PM
The treaty was signed on 3 March 1918 in Brest. | The treaty was signed in Brest on 1918-03-03. ; It was signed on March 3, 1918 in Brest. | The treaty was signed on 1918-03-04 in Brest.
x - 1 | x - 1 | x + 1 ; -1
World War II | World War Two ; WWII | World War I
`,
);

/** Durations in words, and areas and volumes. */
const spelledUnits = byReference(
  "How much is it?",
  `
90 minutes | an hour and a half ; 1.5 hours ; one and a half hours | an hour ; half an hour ; two hours and a half
an hour and a half | 90 minutes ; 1.5 hours ; 1 hour 30 minutes | an hour ; half an hour ; 60 minutes ; 30 minutes
half an hour | 30 minutes ; half an hour ; 0.5 hours | an hour ; 60 minutes ; an hour and a half ; one hour
a year and a half | 18 months ; 1.5 years ; one and a half years | a year ; half a year ; 12 months
a quarter of an hour | 15 minutes ; a quarter of an hour | an hour ; 30 minutes ; three quarters of an hour
three quarters of an hour | 45 minutes | 15 minutes ; an hour
20 m² | 20 m2 ; 20 square metres ; 20 sq m ; 20 square meters | 20 metres ; 20 m ; 20 m³ ; 21 m2
20 square metres | 20 m² ; 20 m2 ; 20 square meters | 20 metres ; 20 cubic metres
`,
);

/** Grades, blood types and receptors with a sign, in symbols or words. */
const signedNames = byReference(
  "Which one is it?",
  `
BBB- | BBB- ; BBB minus ; BBB− | BBB ; BBB+
AAA | AAA | AAA- ; AA
AA- | AA minus ; AA- ; The rating is AA-. | AA+ ; AA ; AA plus ; A-
C# minor | C-sharp minor ; C sharp minor ; C♯ minor | C minor ; C flat minor
B♭ | Bb ; B flat ; B-flat | B ; B# ; B natural
E-flat major | E♭ major ; E flat major ; Eb major | E major ; E-flat minor
HER2+ | HER2 positive ; HER2-positive ; HER2+ | HER2- ; HER2 negative ; HER2
A flat | A flat. ; a flat | a house
B | B | B♭ ; B flat
`,
);

/** Kinds of values that occur in practice. */
export const VALUE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "the reference itself passes in any wrapping": identity,
  "a yes or no must be stated": verdicts,
  "abstentions are recognised in many forms": abstentions,
  "a different number, letter or code is a different answer": otherNumbers,
  "the letter s is a unit or a plural": seconds,
  "a value is not split at a slash or a conjunction": wholeValues,
  "symbols in formulas and code must match": symbols,
  "units, fractions and bounds are converted": units,
  "function words that reverse the meaning count": functionWords,
  "durations, areas and volumes have several names": spelledUnits,
  "a note or rating keeps its sign": signedNames,
  "a value inside a reference may be written differently": valuesInside,
};
