import { byReference, type Case } from "./kinds.cases";

/** Repeating a value from the question is not an answer. */
const repeatedValues = [
  ...byReference(
    "How many minutes are 2 hours?",
    `
120 minutes | 120 minutes ; 120 ; 2 hours are 120 minutes ; Two hours are 120 minutes. ; 120 minutes are 2 hours. ; There are 120 minutes in 2 hours. | 2 hours are 100 minutes ; Two hours are 100 minutes. ; 2 hours ; 100 minutes ; 2 hours are 2 minutes
120 | 120 ; 2 hours are 120 minutes. | 2 hours are 110 minutes. ; 2
It is 120 minutes long. | 2 hours are 120 minutes. | 2 hours are 100 minutes.
`,
  ),
  ...byReference("What is 50% as a fraction?", "1/2 | 1/2 ; 50% is 1/2. ; one half | 50% is 1/3. ; 1/3 ; 50%"),
  ...byReference(
    "What is 5:30 PM on a 24-hour clock?",
    "17:30 | 17:30 ; 5:30 PM is 17:30. | 5:30 PM is 18:30. ; 5:30 PM is 15:30.",
  ),
  ...byReference("Was it in 1990 or in 1991?", "1990 | 1990 ; It was in 1990. | 1991 ; It was in 1991."),
  ...byReference(
    "Is it 2 hours or 3 hours long?",
    "2 hours | 2 hours ; It is 2 hours long. ; 120 minutes | 3 hours ; It is 3 hours long.",
  ),
  ...byReference(
    "How many grams are 3 kg?",
    "3000 g | 3 kg is 3000 g. ; 3 kg are 3,000 grams. ; 3000 | 3 kg is 300 g. ; 3 kg",
  ),
];

/** A period in only one of the texts is ignored; any other rate is part of the unit. */
const rates = [
  ...byReference(
    "How many days of leave do employees get per year?",
    "25 days | 25 days ; 25 days per year ; 25 days a year ; 25 days/year ; 25 ; 25 days annually ; Employees get 25 days per year. | 25 days per month ; 30 days per year ; 25 weeks ; 52 days a year",
  ),
  ...byReference(
    "How much is it?",
    `
25 days of leave | 25 days of leave per year ; 25 days of leave a year | 24 days of leave per year
$5 | $5 ; $5 per month ; $5 a year | $6 per month ; €5 per month
$5 per month | $5 ; $5 a month ; $60 per year | $5 per year ; $60 ; $6
$20 per hour | $20 ; $20 an hour | $25 an hour ; $20 per day
5 mg | 5 mg ; 5 mg per day ; 0.005 g | 5 mg/kg ; 5 mg/ml ; 50 mg per day
5 mg/kg | 5 mg per kg | 5 mg ; 5 mg/ml
5 km | 5 km ; 5000 m | 5 km/h ; 5 km per hour
120 km/h | 120 km per hour ; 120 kph | 120 km ; 120 mph
60 mph | 60 mph ; 60 miles per hour ; 96.56 km/h | 60 km/h
3% per year | 3% ; 3% a year ; 3 percent | 3% per month ; 4%
500 GB | 500 GB per month ; 0.5 TB | 500 MB per month
`,
  ),
];

const options = [
  ...byReference(
    "Which planet has the most visible rings?",
    `
B) Saturn | B ; b ; B) ; (B) ; Saturn ; The answer is B. ; B) Saturn ; B. Saturn ; B: Saturn ; Option B ; Option B: Saturn ; **B) Saturn** ; The answer is B) Saturn. ; It is Saturn. ; B - Saturn | C ; Jupiter ; B) Jupiter ; A) Saturn ; The answer is A. ; (A) ; The answer is B) Jupiter. ; A. Saturn ; Option A: Saturn ; C) Jupiter
B. Saturn | B ; Saturn ; The answer is B. ; B) Saturn ; (B) Saturn | C ; Jupiter ; B. Jupiter ; A. Saturn
(B) Saturn | B ; (B) ; Saturn ; B) Saturn | A ; (A) Saturn ; (B) Jupiter
B: Saturn | B ; Saturn ; B: Saturn | D ; B: Uranus ; A: Saturn
Option B: Saturn | B ; Saturn ; Option B ; B) Saturn | Option A ; Jupiter ; Option A: Saturn
Saturn | B) Saturn ; B. Saturn ; (B) Saturn ; Option B: Saturn | B) Jupiter ; B
`,
  ),
  ...byReference(
    "How long does it take?",
    "C) 120 minutes | C ; 120 minutes ; 2 hours ; C) 2 hours | C) 100 minutes ; B) 120 minutes ; 100 minutes ; B",
  ),
  ...byReference(
    "Which planet has the most visible rings? A) Mars B) Saturn C) Jupiter",
    "B | B ; Saturn ; B) Saturn ; It is Saturn. | A ; Jupiter ; Mars ; B) Jupiter ; A) Saturn\nSaturn | B ; Saturn ; B) Saturn ; The answer is B. | C ; Jupiter ; C) Jupiter ; The answer is A.",
  ),
  ...byReference(
    "Who wrote it?",
    "A. Lincoln | Abraham Lincoln ; A. Lincoln ; Lincoln | B. Franklin\nD. H. Lawrence | D. H. Lawrence ; DH Lawrence | T. E. Lawrence ; D",
  ),
  ...byReference("Which version?", "v3.2 | version 3.2 ; v3.2 ; 3.2 | v3.1 ; 2.3"),
  ...byReference("Which organism is it?", "E. coli | E. coli ; It is E. coli. | C. difficile"),
];

const shortNames = [
  ...byReference(
    "Which country or body is it?",
    `
United States | US ; USA ; U.S. ; U.S.A. ; the US ; It is the US. ; the USA ; United States of America | UK ; us ; It told us so: Canada. ; UN ; South America
United States of America | US ; USA ; the U.S. ; United States | UK ; us ; Mexico
United Kingdom | UK ; U.K. ; the UK ; It is the UK. ; Great Britain | US ; EU ; Ukraine ; uk
European Union | EU ; the EU ; It is the EU. | UN ; eu ; European Council
United Nations | UN ; U.N. ; the UN | un ; EU ; NATO
New Zealand | NZ | AZ ; Australia
United Arab Emirates | UAE | USA
USA | US ; U.S. ; United States ; the United States of America | UK
UK | United Kingdom ; U.K. ; the United Kingdom | United States ; US
EU | European Union ; the European Union | United Nations
Artificial Intelligence | AI ; It is AI. | AR ; BI
`,
  ),
  ...byReference("Who sang it?", "Tom Vance | Tom Vance ; Vance | Bob Dylan sang it on TV."),
];

const surnames = [
  ...byReference(
    "Who was it?",
    `
John F. Kennedy | Kennedy ; It was Kennedy. ; JFK ; President Kennedy ; John Kennedy ; John Fitzgerald Kennedy ; J. F. Kennedy | Robert Kennedy ; It was Robert Kennedy. ; Jacqueline Kennedy ; John Adams ; John ; Nixon ; Kennedy Space Center
Wolfgang Amadeus Mozart | Mozart ; It was Mozart. ; W. A. Mozart ; Wolfgang Mozart | Leopold Mozart ; Leopold ; Wolfgang Schmidt ; Salieri
Gabriel García Márquez | García Márquez ; Gabriel Garcia Marquez ; Gabriel García Márquez. ; It was García Márquez. | Juan García ; Gabriel Boric ; Vargas Llosa
Ludwig van Beethoven | Beethoven ; van Beethoven ; L. van Beethoven | Johann van Beethoven ; Ludwig Erhard ; Haydn
Martin Luther King | King ; Dr. King ; Martin Luther King Jr. | King Charles ; Stephen King ; Coretta King
Albert Einstein | Einstein ; Yes. Einstein was. ; A. Einstein ; Professor Einstein | Elsa Einstein ; Albert Schweitzer
Marie Curie | Curie ; Madame Curie | Pierre Curie ; Marie Antoinette
`,
  ),
  ...byReference(
    "Wer hat das komponiert?",
    "Johann Sebastian Bach | Bach ; J. S. Bach | Carl Philipp Emanuel Bach ; Händel",
  ),
  ...byReference(
    "Which airport is it?",
    "John F. Kennedy International Airport | John F. Kennedy International Airport | O'Hare International Airport ; Kennedy",
  ),
];

const corrections = byReference(
  "Which city is the capital?",
  `
Lyon | It is not Paris but Lyon. ; Not Paris but Lyon. ; Lyon, not Paris. ; Instead of Paris, Lyon. ; Lyon instead of Paris. ; Not Paris; it is Lyon. ; It isn't Paris, it's Lyon. ; It is not Paris, but Lyon. ; Paris is not the capital; Lyon is. ; Not Paris. Lyon. ; Lyon rather than Paris. ; It was never Paris but always Lyon. ; nicht Paris, sondern Lyon ; pas Paris mais Lyon ; no París sino Lyon ; It is Lyon and not Paris. ; Not Paris, Lyon. ; No, it is Lyon. | It is not Lyon but Paris. ; Not Lyon but Paris. ; Paris, not Lyon. ; Instead of Lyon, Paris. ; Paris instead of Lyon. ; Not Lyon; it is Paris. ; It isn't Lyon, it's Paris. ; Lyon is not the capital; Paris is. ; nicht Lyon, sondern Paris ; pas Lyon mais Paris ; Paris rather than Lyon. ; It is not Lyon. ; Neither Paris nor Lyon. ; Not Lyon, Paris.
Paris | Not Lyon but Paris. ; Paris, not Lyon. | It is not Paris but Lyon. ; Lyon, not Paris. ; Instead of Paris, Lyon. ; Not Paris; it is Lyon.
New York | Not Boston but New York. ; Not Boston, but rather New York. | Not New York but Boston.
`,
).concat(
  byReference(
    "How many are there?",
    "12 | Not 10 but 12. ; 12, not 10. ; There are not 10 but 12. ; Instead of 10, 12. | Not 12 but 10. ; 10, not 12.\nnot 5 | not 5 | 5\n",
  ),
);

const characterOrder = byReference(
  "¿?",
  `
日本 | 日本 ; 日本です。 ; 答えは日本 | 本日 ; 本日です。 ; 今日は本を読む日
上海 | 上海 ; 上海市 ; 是上海。 | 海上 ; 海上。
東京 | 東京 ; 東京都 | 京東 ; 京都 ; 東の京
大阪 | 大阪です | 阪大
北京 | 中国的首都是北京。 | 京北 ; 北海道と京都
山口 | 山口県 | 口山
水素 | 水素 ; それは水素です。 | 素水
パリ | パリ | リパ
こども | こども | もどこ
工人 | 工人 | 人工
`,
);

const bareVerdicts = [
  ...byReference(
    "Is smoking permitted?",
    `
No | It is not permitted. ; It's not permitted. ; It isn't permitted. ; It's prohibited ; It is prohibited. ; Not allowed ; Not permitted. ; Prohibited. ; It is forbidden. ; Smoking is prohibited. ; Smoking is not allowed. ; No. ; Nein ; Não ; Nee ; Nie ; Net ; Нет ; Hayır ; Non. ; That is not permitted. | It is permitted. ; Permitted. ; Allowed ; It's allowed. ; Yes. ; Sì ; Sí ; Tak ; Da ; Evet ; Smoking is permitted. ; Not prohibited.
Yes | It is permitted. ; It's permitted ; Permitted. ; Allowed. ; It is allowed. ; Not prohibited. ; It isn't forbidden. ; Sì ; Sì. ; Sim ; Ja ; Tak ; Tak. ; Da ; Да ; Evet | It is not permitted. ; It's prohibited ; Not allowed ; Prohibited. ; Nie ; Nee ; Não ; Hayır ; Net ; Banned. ; Drinking is permitted.
`,
  ),
  ...byReference(
    "Is the door open?",
    "No | It is closed. ; Closed. ; It's shut. ; The door is closed. ; Not open. | It is open. ; Open. ; The window is closed.\nYes | Open. ; It's open. | Closed. ; It's closed.",
  ),
  ...byReference(
    "Is the drug safe for children?",
    "No | It is unsafe. ; It's not safe. ; It's dangerous. ; It is not safe for children. | It is safe. ; Safe. ; It's safe for children.",
  ),
  ...byReference(
    "Did sales increase in 2020?",
    "No | They decreased. ; Sales fell. ; They fell in 2020. ; They did not increase. | They increased. ; Sales rose. ; They rose in 2020.",
  ),
  ...byReference(
    "Can I return the item after 30 days?",
    "No | You can't return it after 30 days. ; You cannot return it. | You can return it after 30 days. ; You can't return it on Sundays.",
  ),
  ...byReference(
    "Does the warranty cover accidental damage?",
    "No | Accidental damage is excluded from the warranty. ; Accidental damage isn't covered. ; It does not. | Accidental damage is included. ; It covers accidental damage. ; It covers theft.",
  ),
  ...byReference("È vietato fumare?", "Sì | Sì ; Sì. ; Sì, è vietato. ; Yes | No ; No, non è vietato."),
  ...byReference("É permitido fumar?", "Não | Não ; Não. ; Não, é proibido. ; No | Sim ; Sim."),
];

const otherLanguages = [
  ...byReference(
    "Wie lange dauert die Lieferung?",
    `
3 Tage | 3 Tage ; 72 Stunden ; Die Lieferung dauert 3 Tage. ; 3 days | 3 Wochen ; 3 Stunden ; 5 Tage
3 bis 5 Tage | 3-5 Tage ; 3 bis 5 Tage | 3 bis 5 Wochen ; 5 bis 7 Tage
2 Wochen | 14 Tage ; zwei Wochen, also 2 Wochen | 2 Monate ; 2 Tage
12 Monate | 1 Jahr ; 12 Monate | 12 Jahre ; 12 Wochen
`,
  ),
  ...byReference(
    "¿Cuánto dura?",
    "12 meses | 1 año ; Dura 12 meses. | 12 años ; 12 semanas\n2 horas | 120 minutos | 2 días",
  ),
  ...byReference(
    "Quelle est la durée ?",
    "12 mois | 12 mois ; La durée est de 12 mois. | 12 semaines ; 12 jours\n2 heures | 120 minutes | 2 jours",
  ),
  ...byReference(
    "Ist das Rauchen erlaubt?",
    "Nein | Das Rauchen ist nicht erlaubt. ; Das Rauchen ist verboten. ; Nein. | Das Rauchen ist erlaubt. ; Ja.\nJa | Das Rauchen ist erlaubt. ; Das Rauchen ist nicht verboten. | Das Rauchen ist verboten.",
  ),
];

const equations = [
  ...byReference(
    "Solve for x.",
    `
x = -3 | -3 ; x = -3 ; x=-3 ; x = −3 ; It is -3. ; The answer is x = -3. ; x = -3.0 ; minus three ; **x = -3** ; $x = -3$ | 3 ; x = 3 ; y = -3 ; -4 ; x = -33
-3 | x = -3 ; x=-3 ; -3 ; The solution is x = -3. | x = 3 ; 3
x = 5 | 5 ; x = 5 ; x is 5 ; The answer is 5. | -5 ; x = -5 ; y = 5 ; 6
5 | x = 5 ; 5 | x = -5 ; x = 6
x = 1/2 | 1/2 ; 0.5 ; x = 0.5 | 2 ; x = 1/3 ; -1/2
y = 2x + 1 | 2x + 1 ; y = 2x + 1 | y = 2x - 1 ; 2x - 1
f(x) = x^2 | x^2 ; f(x) = x² ; x² | x^3 ; f(x) = x^3 ; g(x) = x^2
v = 20 m/s | 20 m/s ; v = 20 m/s | 30 m/s ; a = 20 m/s ; 20 km
`,
  ),
];

const valuesInside = [
  ...byReference(
    "How soon must it be reported?",
    `
within 2 hours | 120 minutes ; within 120 minutes ; Within two hours. ; 2 hours ; in 2 hours ; It must be reported within 2 hours. ; no more than 2 hours | within 3 hours ; 2 days ; within 2 days ; 3 hours ; within 20 minutes
within 2 hours of arrival | within 120 minutes of arrival ; 2 hours after arrival ; within two hours of arrival | within 3 hours of arrival ; within 2 days of arrival
the first 30 days | the first 30 days ; in the first thirty days | the first 60 days ; 30 weeks
every 6 hours | every six hours ; every 360 minutes | every 8 hours ; every 6 days
after 90 minutes | after 1.5 hours ; 90 minutes | after 60 minutes ; after 90 hours
a delay of 2 hours | a delay of 120 minutes ; a two-hour delay ; 2 hours | a delay of 3 hours ; a delay of 2 days
up to 500 mg daily | up to 0.5 g daily ; up to 500 milligrams daily | up to 500 g daily ; up to 50 mg daily
a length of 2 km | 2000 m ; a length of 2000 metres ; 2 km long | 20 km ; a length of 200 m
at least 18 years old | 18 years ; at least 18 ; 18 years or older | 21 years ; 16 or older
a fee of €1,000 | €1000 ; a fee of 1.000 € ; a fee of 1000 euros | a fee of $1000 ; a fee of €100
`,
  ),
  ...byReference(
    "When is it open?",
    "Monday to Friday, 9 am to 5 pm | 9 am to 5 pm from Monday to Friday ; Monday to Friday, 9:00-17:00 ; 9 am to 5 pm | Monday to Saturday, 9 am to 5 pm ; Monday to Friday, 8 am to 5 pm\nMonday at 9 am | Monday, 9:00 ; 9 am on Monday | Tuesday at 9 am ; Monday at 10 am",
  ),
];

const order = [
  ...byReference(
    "How did it change?",
    `
from 5.7 % to 5.2 % | from 5.7 % to 5.2 % ; fell from 5.7 to 5.2 percent ; It fell from 5.7% to 5.2%. ; to 5.2 % from 5.7 % ; 5.7 % to 5.2 % | from 5.2 % to 5.7 % ; It rose from 5.2 to 5.7 percent. ; to 5.7 % from 5.2 % ; 5.2 % to 5.7 % ; from 5.7 % to 5.1 %
It fell from 5.7 % to 5.2 %. | It fell from 5.7 percent to 5.2 percent. ; It fell to 5.2 % from 5.7 %. | It fell from 5.2 % to 5.7 %.
from 1914 to 1918 | 1914 to 1918 ; from 1914 until 1918 ; 1914–1918 | from 1918 to 1914
from $10 to $12 | from $10 to $12 ; $10 to $12 | from $12 to $10
from Paris to London | from Paris to London ; to London from Paris ; Paris to London | from London to Paris ; to Paris from London ; London to Paris
3 to 2 | 3 to 2 ; 3:2 ; 3-2 | 2 to 3 ; 2:3
3:2 | 3:2 ; 3 to 2 ; The ratio is 3:2. | 2:3 ; 2 to 3
12 vs 15 | 12 vs 15 ; 12 versus 15 | 15 vs 12
Germany vs Brazil | Brazil vs Germany ; Germany versus Brazil | Germany vs France
2 and 3 | 2 and 3 ; 3 and 2 | 2 and 4
between 5 and 10 | between 5 and 10 ; 5 to 10 | between 5 and 12
red and blue | blue and red | red and green
from red to green | from red to green | from green to red
`,
  ),
];

/** Kinds of answers that were once scored wrong. */
export const ANSWER_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "a value repeated from the question is not the answer": repeatedValues,
  "a period in only one of the texts is ignored": rates,
  "an option is matched by its letter or its text": options,
  "the name before an equals sign may be omitted": equations,
  "initials and short names match the full name": shortNames,
  "a surname is enough if the question asks for a person": surnames,
  "a correction denies only what it corrects": corrections,
  "characters in a different order are a different word": characterOrder,
  "a bare verdict answers a yes-or-no question": bareVerdicts,
  "durations and verdicts are read in other languages": otherLanguages,
  "a value inside a longer reference is converted": valuesInside,
  "swapping ordered values fails": order,
};
