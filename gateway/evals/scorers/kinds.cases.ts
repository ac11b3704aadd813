/** An answer, the reference or contexts it is scored against, and whether `reference@1` must pass it. */
export interface Case {
  input: string;
  output: string;
  references?: string[];
  contexts?: string[];
  shouldPass: boolean;
}

/** Parses rows of the form `reference | answers that pass | answers that fail`. Answers are separated by semicolons. */
export const byReference = (input: string, rows: string): Case[] =>
  rows
    .trim()
    .split("\n")
    .flatMap((row) => {
      const [reference = "", right = "", wrong = ""] = row.split(" | ").map((part) => part.trim());
      const cases = (outputs: string, shouldPass: boolean) =>
        outputs
          .split(" ; ")
          .filter((output) => output.trim() !== "")
          .map((output): Case => ({ input, output: output.trim(), references: [reference], shouldPass }));
      return [...cases(right, true), ...cases(wrong, false)];
    });

/** Parses rows of the form `context | claims that pass | claims that fail`. */
export const byContext = (rows: string): Case[] =>
  byReference("What do the documents say?", rows).map(({ references = [], ...rest }) => ({
    ...rest,
    contexts: references,
  }));

const signs = byReference(
  "How much is it?",
  `
-5 | -5 ; It is -5. ; −5 ; minus five ; negative 5 | 5 ; It is 5. ; +5
5 | 5 ; +5 ; It is 5. | -5 ; −5 ; minus 5
-3.5 | −3.5 ; -3.50 | 3.5
O- | O- ; O negative ; type O-negative | O+ ; O positive ; A negative
AB+ | AB+ ; AB positive | AB- ; AB negative ; B positive
if (a == b) | if (a == b) ; if (a==b) | if (a != b) ; if (a = b) ; if (a >= b) ; if
O(n log n) | O(n log n) ; It takes O(n log n). | O(n) ; O(log n) ; O(n^2)
>= 3.8 | >= 3.8 ; ≥3.8 ; at least 3.8 ; 3.8 or higher | <= 3.8 ; > 3.8 ; 3.8 or lower
A- | A- ; A− ; It got an A-. ; "A-" | A+ ; A ; B-
A+ | A+ ; The grade is A+. ; **A+** | A- ; A ; B+
C++ | C++ ; It is written in C++. ; C++17 | C ; C# ; It is written in C.
C# | C# ; It is written in C#. | C ; C++ ; F#
C | C ; It is written in C. | C++ ; C# ; It is written in C++.
F♯ | F# ; F♯ | F ; F♭
x+1 | x+1 ; x + 1 ; The result is x+1. | x-1 ; x*1
x - 1 | x-1 ; x − 1 | x+1 ; x + 1
x^2 | x^2 ; x² ; The result is x². | x^3 ; x+2
a < 5 | a < 5 ; a<5 | a > 5 ; a <= 5 ; a = 5
a != b | a != b ; a ≠ b | a = b ; a == b
i = i + 1 | i = i + 1 ; i = i+1; | i = i - 1
O(n) | O(n) ; It runs in O(n). | O(n^2) ; O(n²) ; O(n log n)
SELECT * FROM t WHERE a < 5 | SELECT * FROM t WHERE a < 5; | SELECT * FROM t WHERE a > 5 ; SELECT * FROM t WHERE a = 5
<42 | <42 ; < 42 ; less than 42 ; under 42 | 42 ; >42 ; more than 42
>= 5 | ≥5 ; >=5 ; at least 5 | <=5 ; 5 ; < 5
≤5 | <= 5 ; at most 5 | ≥ 5 ; 5
±5 | ±5 ; ± 5 | 5 ; -5
$5 | $5 ; 5 dollars ; USD 5 ; US$5 ; $5.00 | €5 ; 5 euros ; £5 ; EUR 5
€1,000 | €1000 ; 1000 euros ; 1.000 € ; EUR 1000 | $1000 ; 1000 dollars
£5 | 5 pounds ; GBP 5 ; £5.00 | $5 ; €5
-$5 | -$5 ; $-5 | $5
44 BC | 44 BC ; 44 BCE ; in 44 B.C. | 44 AD ; AD 44 ; 44 CE
79 AD | AD 79 ; 79 CE | 79 BC
the 5th century BC | 5th century BCE ; the fifth century BC | the 5th century AD
12.05 | 12.05 ; 12,05 | 12:05 ; -12.05
1:2 | 1:2 ; The ratio is 1:2. | 2:1
== | == ; The operator is ==. ; Use \`==\`. | = ; The operator is =. ; != ; ===
!= | != ; It is != here. | == ; =
& | & ; The sign is &. | && ; |
Na+ | Na+ ; It is Na+. | Na ; Cl-
H2O | H2O ; H₂O | H2O2
20 °C | 20°C ; 20 degrees Celsius ; 20 °C | 20 °F ; -20 °C
R&D | R&D ; R & D | R&B
F-16 | F-16 ; F16 ; It is the F-16. | F-15
node.js | node.js ; Node.js ; It is Node.js. | Deno
well-known | well-known ; well known | unknown
5-10 | 5-10 ; 5–10 ; 5 to 10 | 5-12 ; 7
7 apples | - 7 apples ; 7 apples ; * 7 apples | -7 apples ; 8 apples
The price is $1000 a day. | The price is $1,000 a day. ; The price is 1000 dollars a day. | The price is €1000 a day. ; The price is £1000 a day.
between $5 and $10 | $5-$10 ; between $5 and $10 | between €5 and €10 ; $15-$20
p < 0.05 | p < 0.05 ; p<.05 | p > 0.05 ; p = 0.05
y = 2x + 1 | y = 2x + 1 ; y=2x+1 | y = 2x - 1 ; y = 3x + 1
!x | !x ; It is !x | x ; It is x.
-v | -v ; Use -v. ; the -v flag | -q
B- | B- ; B minus | B+ ; B plus ; B
Ca2+ | Ca2+ ; Ca²⁺ | Ca ; Ca+
Boeing 747-400 | Boeing 747-400 ; the Boeing 747-400 | Boeing 747-8 ; Boeing 737-400
john.doe@example.com | john.doe@example.com ; It is john.doe@example.com. | jane.doe@example.com ; john.doe@example.org
≥ | ≥ ; >= ; It is ≥. | ≤ ; >
`,
);

const commonWords = [
  ...byReference(
    "Which grade, option or letter is it?",
    `
A | A ; a ; A. ; (A) ; A) Paris ; The answer is A. ; It is an A. ; Option A ; Answer: A ; **A** ; It got an A ; A is correct. ; I would choose A, because it fits. ; The answer is (A). | It got a B ; A good question. ; A or maybe B, I think it is B. ; It is a test. ; Not A but B
B | B ; B. ; The answer is B ; Option B is right. | A ; C ; It was a bad film. ; The answer is C, and B is wrong.
R | R ; R is the language. ; It is written in R. | Python is. ; Ruby is the language.
I | I ; The answer is I. ; (I) | I think it is B. ; I do not know it.
C | C ; c ; It is written in C for speed. | It is D. ; It is written in D.
e | e ; The answer is e. | The answer is d.
`,
  ),
  ...byReference(
    "Which film, band, body or department is it?",
    `
It | It ; The film is It. ; "It" ; It (2017) ; He directed It in 2017. | I think it is Carrie. ; It is Carrie. ; It was directed by him.
IT | IT ; She works in IT. ; The IT department | It is sales. ; it is in the sales department
WHO | WHO ; The WHO declared it. ; It was declared by the WHO. ; World Health Organization | Who knows? ; The people who declared it were the UN. ; Someone who knows
The Who | The Who ; It was The Who. ; the who | The people who played were Queen. ; Who knows? ; Who? Queen ; The Guess Who ; It was Queen.
US | US ; It is in the US. ; USA ; the United States ; U.S. | It told us nothing. ; It is in Canada, they told us.
Her | Her ; The film is Her. ; "Her" is the film. | He met her at home. ; Her name is Ann, the film is Alien.
Up | Up ; The film is Up. ; It was Up. | He gave up: Cars. ; It came up twice, in Cars.
Them! | Them! ; Them ; The film is Them! | It was one of them, Alien.
`,
  ),
  ...byReference("Which state?", "OR | OR ; The state is OR. ; Oregon (OR) | It is in Texas or Ohio ; Texas or Maine."),
];

const reversals = byReference(
  "Is it so?",
  `
The drug is not safe for children. | The drug is not safe for children. ; The drug isn't safe for children. ; The drug is unsafe for children. ; No, the drug is not safe for children. | The drug is safe for children. ; Yes, the drug is safe for children.
The drug is safe. | The drug is safe. ; Yes, the drug is safe. | The drug is not safe. ; The drug isn't safe. ; The drug is unsafe.
The statement is true. | The statement is true. | The statement is false. ; The statement is untrue. ; The statement is not true.
Dental care is covered. | Dental care is covered. | Dental care is excluded. ; Dental care is not covered.
Tom likes Anna. | Tom likes Anna. | Tom dislikes Anna. ; Tom hates Anna. ; Tom doesn't like Anna.
The claim was approved. | The claim was approved. | The claim was rejected. ; The claim was denied.
Smoking is not allowed. | Smoking is not allowed. ; Smoking isn't allowed. ; Smoking is not allowed here. ; Smoking is prohibited. | Smoking is allowed. ; Smoking is allowed here.
Smoking is allowed. | Smoking is allowed. ; Smoking is allowed, drinking is not. ; Smoking is permitted. | Smoking is not allowed. ; Smoking is never allowed. ; It is not true that smoking is allowed. ; Smoking is forbidden.
not guilty | not guilty ; He was found not guilty. | guilty ; He was found guilty.
guilty | guilty ; He was found guilty. | not guilty ; He was found not guilty.
Dogs can fly. | Dogs can fly. | Dogs cannot fly. ; Dogs can't fly.
There is no risk. | There is no risk. | There is a risk.
It never rains there. | It never rains there. | It always rains there.
The shop is open on Sundays. | The shop is open on Sundays. ; On Sundays the shop is open. ; The shop is open on Sundays, not on Mondays. | The shop is closed on Sundays. ; The shop is not open on Sundays.
Prices increased. | Prices increased. ; Prices rose. | Prices decreased. ; Prices fell.
The file has been deleted. | The file has been deleted. ; The file was deleted. | The file has not been deleted. ; The file was not deleted.
You must not open the door. | You must not open the door. | You must open the door.
It does not work. | It doesn't work. ; No, it does not work. | It works. ; Yes, it works.
He won the race. | He won the race. | He did not win the race. ; He lost the race.
A visa is required. | A visa is required. ; You need a visa. | You don't need a visa. ; No visa is required. ; A visa is optional.
The test passed. | The test passed. | The test failed. ; The test did not pass.
Der Hund ist nicht gefährlich. | Der Hund ist nicht gefährlich. | Der Hund ist gefährlich.
El agua no es potable. | El agua no es potable. | El agua es potable.
`,
);

const forms = [
  ...byReference(
    "How much is it?",
    `
0.5 | 1/2 ; ½ ; 50% ; 50 % ; 0,5 ; .5 ; 0.50 ; one half ; 50 percent ; 50 per cent | 5 ; 1/3 ; 5% ; 0.05
1/3 | ⅓ ; a third ; one third ; a third of it | 3 ; 2/3 ; the third
90 minutes | 1.5 hours ; 1 hour 30 minutes ; 1 hour and 30 minutes ; 1 h 30 min | 1 hour ; 30 minutes ; 1 hour 20 minutes ; 90 hours
1 hour 30 minutes | 90 minutes ; 1½ hours | 1 hour ; 30 minutes ; 2 hours 30 minutes
5 in the afternoon | 17:00 ; 5 PM ; 5 p.m. | 5 AM ; 15:00
6 ft 2 in | 6 feet 2 inches ; 74 inches ; 6 ft 2 in | 6 ft 3 in ; 6 ft ; 2 ft 6 in
5 feet 6 inches | 5.5 feet ; 66 inches ; 5 ft 6 in | 5 feet ; 6 feet 5 inches
±5 | ± 5 ; +/-5 ; +/- 5 ; plus or minus 5 | 5 ; +5 ; -5 ; plus 5
1/2 | ½ ; 0.5 ; 50% ; It is 1/2. | 2 ; 1/4 ; 12
3/4 | ¾ ; 0.75 ; 75% ; three quarters | 4/3 ; 34
1½ | 1.5 ; 1 1/2 ; one and a half ; 3/2 | 11/2 ; 1.2 ; 15
1000000 | 1e6 ; 10^6 ; 10⁶ ; 1,000,000 ; 1 000 000 ; 1'000'000 ; 1.000.000 ; 1_000_000 ; one million ; 1 million ; 1 × 10^6 ; 1 000 000 ; 100万 | 1e5 ; 100,000 ; 10^5 ; 1 billion
1.5 million | 1,500,000 ; 1.5e6 ; 1.5 × 10^6 ; 1500000 ; 1,5 Millionen | 1.5 billion ; 15 million ; 150,000
0.001 | 1e-3 ; 10^-3 ; 1/1000 ; 0.1% ; 1‰ | 1e3 ; 0.01
1234567 | 12,34,567 ; 1,234,567 ; 1.234.567 ; 1 234 567 ; 1'234'567 | 123456 ; 12345678
1234.5 | 1.234,5 ; 1,234.5 ; 1 234,5 ; 1'234.50 | 12345 ; 1.2345
330,5 | 330.5 m ; 330.5 ; It is 330,5 m. | 3305 ; 340
1234 | 1,234 ; 1.234 ; 1 234 | 12.34 ; 123.4
1,234 | 1234 ; 1,234.0 ; 1.234 | 12,34 ; 123.4
1,000 | 1000 ; 1.000 ; 1 000 ; a thousand ; 1k ; 1'000 | 1 ; 1.0 ; 1,00 ; 10,000
3.142 | 3.1420 | 31.42 ; 3.242
15000 | 15,000 ; 15 000 ; 15 thousand | 1500 ; 1,500
2/3 | two thirds ; 0.667 ; ⅔ | 3/2 ; 0.6
25% | 0.25 ; 1/4 ; a quarter ; 25 percent | 2.5 ; 75%
٣٤ | 34 ; ۳۴ | 43
42 | ４２ ; forty-two ; 42.0 | 24
-12 | −12 ; minus twelve ; －12 | 12
7,5 kg | 7.5 kg ; 7500 g ; 7.5kg | 75 kg ; 7.5 g
1.2.3 | 1.2.3 ; Version 1.2.3 | 1.2.4 ; 12.3
12 | a dozen ; XII ; 12.0 | 21 ; 120
66.7% | 2/3 ; two thirds ; 0.667 | 6.67%
2.10 | v2.10 ; version 2.10 | 2.11
10-15 | 10–15 ; 10 to 15 | 10–51
`,
  ),
  ...byReference(
    "When was it?",
    `
17:30 | 5:30 PM ; 5:30 p.m. ; 5.30 pm ; 17.30 Uhr ; 17h30 ; half past five in the afternoon ; 17:30:00 ; 5:30pm | 5:30 AM ; 17:13 ; 7:30 PM ; 17.3
5:30 PM | 17:30 ; It was at 17:30. ; 5.30 p.m. | 5:30 AM ; 5:50 PM ; 15:30
12:00 | noon ; 12 noon ; 12 pm ; midday | midnight ; 12 am
00:00 | midnight ; 12 am ; 24:00 | noon ; 12 pm
8:00 | At 8 o'clock ; 8 am ; eight o'clock ; 08:00 | 9 am ; 8:30
9 am to 5 pm | 09:00-17:00 ; from 9 a.m. until 5 p.m. | 9 am to 6 pm ; 8 am to 5 pm
14:05:30 | 2:05:30 PM | 14:05:31
20th century | twentieth century ; the 20th century | 19th century ; 20 centuries
a quarter to six | 5:45 ; 17:45 | 6:15 ; 6:45
2021-01-05T17:30:00Z | January 5, 2021 at 5:30 PM ; 2021-01-05 17:30 ; 2021-01-05T19:30:00+02:00 | January 5, 2021 at 5:30 AM ; January 6, 2021 at 5:30 PM
2021-01-05T00:00:00.000Z | January 5, 2021 ; 2021-01-05 ; 5 Jan 2021 ; 05.01.2021 | January 6, 2021 ; May 1, 2021 at noon ; 2020-01-05
January 5, 2021 | 2021-01-05T00:00:00.000Z ; 2021-01-05 ; 2021/01/05 ; 01/05/2021 ; 05/01/2021 ; 5. Januar 2021 ; 5 janvier 2021 ; 5 de enero de 2021 ; 2021年1月5日 ; 2021년 1월 5일 ; 5 января 2021 | 2021-05-01 ; 2021-01-06 ; 5 January 2020
15.01.1967 | 15/01/1967 ; 01/15/1967 ; January 15, 1967 ; 1967-01-15 ; 15. Januar 1967 ; 15-01-1967 | 15.10.1967 ; 15.01.1976 ; January 5, 1967
03/04/1999 | 3 April 1999 ; March 4, 1999 ; 03/04/1999 | 04/03/1999 ; 5 April 1999
1969 | nineteen sixty-nine ; in nineteen sixty nine | nineteen sixty ; nineteen ninety-six ; sixty-nine
2020 | twenty twenty | twenty twenty-one ; twenty
March 2020 | 2020-03 ; 03/2020 ; March of 2020 | 2020-04 ; 04/2020 ; 2021-03
2024-03-10T14:30:00+01:00 | 2024-03-10 13:30 UTC ; 2024-03-10T13:30:00Z ; March 10, 2024, 2:30 PM | 2024-03-10 14:30 UTC ; 2024-03-11 13:30 UTC
March 1990 | 1990-03-12 ; 12 March 1990 | April 1990 ; March 1991
44 BC | 44 B.C. ; 44 v. Chr. ; 15 March 44 BC | 44
`,
  ),
];

const scripts = byReference(
  "¿?",
  `
파리 | 파리 ; 파리입니다 ; 파리입니다. ; 파리는 프랑스의 수도입니다. ; 프랑스의 수도는 파리예요. ; 그것은 파리이다 ; 파리에서 | 런던입니다 ; 서울 ; 런던은 영국의 수도입니다.
물 | 물입니다 ; 물을 마셔요 | 불입니다
김연아 | 김연아가 우승했습니다. ; 김연아입니다 | 이연아입니다
محمد | مُحَمَّد ; محمّد ; اسمه مُحَمَّد. | أحمد
مُحَمَّد | محمد | علي
القاهرة | القاهره ; القَاهِرَة ; عاصمة مصر هي القاهرة. | باريس
كتاب | الكتاب ; كِتَاب | قلم
إسلام | اسلام ; إِسْلَام | سلام عليكم
שלום | שָׁלוֹם | מלחמה
日本 | 日本です。 ; 日本 ; 東京は日本の首都です。 | 中国です。
パリ | パリです ; 首都はパリです。 | ロンドンです
北京 | 北京。 ; 中国的首都是北京。 | 上海
กรุงเทพ | กรุงเทพ ; เมืองหลวงคือกรุงเทพ | เชียงใหม่
İstanbul | istanbul ; ISTANBUL ; Istanbul'da | Ankara
Ｐａｒｉｓ | Paris | Ｌｏｎｄｏｎ
दिल्ली | दिल्ली ; राजधानी दिल्ली है। | मुंबई
파리 | 파리야 ; 수도는 파리야. | 런던이야
Élysée | l'Élysée ; L’Élysée ; Elysee | Matignon
arte | dell'arte ; l'arte | dell'opera
Москва | Москва ; Столица — Москва. | Киев
Αθήνα | Αθηνα ; ΑΘΗΝΑ | Σπάρτη
`,
);

const numbersInContext = byContext(`
The price is 1000 dollars. | The price is $1000. ; The price is 1,000 dollars. | The price is €1000. ; The price is 1000 euros.
The temperature fell to -5 degrees. | The temperature fell to −5 degrees. ; The temperature fell to minus five degrees. | The temperature fell to 5 degrees.
The shop opens at 17:30 on Mondays. | The shop opens at 5:30 PM on Mondays. ; The shop opens at 5.30 pm on Mondays. | The shop opens at 5:30 AM on Mondays. ; The shop opens at 17:45 on Mondays.
The treaty was signed on 2021-01-05. | The treaty was signed on January 5, 2021. ; The treaty was signed on 5 January 2021. | The treaty was signed on January 15, 2021.
The town has 1 000 000 inhabitants. | The town has 1,000,000 inhabitants. ; The town has one million inhabitants. ; The town has 1'000'000 inhabitants. | The town has 100,000 inhabitants.
Half of the members, 50%, agreed. | Half of the members agreed. | 30% of the members agreed.
The share of the company is 0.25. | The share of the company is 25%. ; The share of the company is 1/4. | The share of the company is 75%.
Caesar was killed in 44 BC. | Caesar was killed in 44 BCE. ; Caesar was killed in 44 BC. | Caesar was killed in 44 AD.
The tower is 330.5 m high. | The tower is 330,5 m high. | The tower is 3305 m high.
The balance is -500 dollars. | The balance is -$500. ; The balance is $-500. | The balance is $500.
The film lasts 90 minutes. | The film lasts 1 hour 30 minutes. | The film lasts 1 hour 20 minutes.
The museum is closed on Mondays. | The museum is closed on Mondays. | The museum is open on Mondays. ; The museum is not closed on Mondays.
Revenue increased in 2020. | Revenue increased in 2020. ; In 2020, revenue increased. | Revenue decreased in 2020. ; Revenue fell in 2020.
A visa is required for entry. | A visa is required for entry. | A visa is optional for entry.
The lake is open in summer and closed in winter. | The lake is closed in winter. ; The lake is open in summer. |
The student got an A-. | The student got an A-. | The student got an A+.
The program is written in C#. | The program is written in C#. | The program is written in C++.
The store closes at 9 pm. | The store closes at 21:00. | The store closes at 9 am. ; The store closes at 19:00.
The formula is x + 1. | The formula is x+1. | The formula is x - 1. ; The formula is x * 1.
The box weighs 2 kg. | The box weighs 2000 g. ; The box weighs 2 kilograms. | The box weighs 2 tonnes. ; The box weighs 20 kg.
The water is 20 °C. | The water is 20 degrees Celsius. | The water is 20 °F.
The value must be < 42. | The value must be < 42. ; The value must be less than 42. | The value must be > 42.
`);

/** Kinds of values that text evaluators often get wrong. */
export const KINDS: Readonly<Record<string, readonly Case[]>> = {
  "symbols change the meaning of an answer": signs,
  "a common word or single letter counts only if it is given as the answer": commonWords,
  "the reversal of a statement fails": reversals,
  "a number, date or time matches in every notation": forms,
  "answers are read in every script": scripts,
  "contexts are read by the same rules as references": numbersInContext,
};
