import { byReference, type Case } from "./kinds.cases";

const magnitudes = [
  ...byReference(
    "How many inhabitants does the city have?",
    `
2.3 million | 2.3m ; 2.3 m ; 2.3M ; 2.3 M ; about 2.3m ; 2.3m people ; 2,300,000 ; two point three million | 2.4m ; 2.3 ; 23m ; 2.3 km ; 2.3bn
2.3m | 2.3 million ; 2,300,000 ; 2.3 M | 3.2 million ; 2.3 billion
`,
  ),
  ...byReference(
    "What was the revenue?",
    `
$2.3 million | $2.3m ; $2.3 M ; $2.3M ; 2.3m dollars ; USD 2.3m ; 2.3m USD | $2.3bn ; $2.3 ; €2.3m ; $3.2m
€2.3m | €2.3 million ; 2.3 million euros ; € 2.3 M | €2.3 billion ; €23m
£4.5bn | £4.5 billion ; 4.5bn pounds | £4.5m
`,
  ),
  ...byReference("How tall is the tree?", "2.3 m | 2.3 m ; 2.3m ; 230 cm ; 2.3 metres | 2.3 million ; 3.2 m ; 2.3 cm"),
];

const spelled = byReference(
  "What is the value?",
  `
2.5 | two point five ; Two point five. ; It is two point five. ; 2.5 | two point six ; five point two ; 25 ; two and five
two point five | 2.5 ; two point five | 2.6 ; 5.2 ; two
0.75 | zero point seven five ; point seven five ; 0.75 ; 75% | zero point five seven ; seven point five
3.14 | three point one four ; 3.14 | three point four one ; three
1.05 | one point zero five ; one point oh five | one point five
2.5 km | two point five kilometres ; 2.5 km | two point six kilometres ; two kilometres
2.5 million | two point five million ; 2,500,000 | two point five billion ; two million
two points | two points | two point five
`,
);

const rates = byReference(
  "How much is it?",
  `
950 pounds a month | £950 per month ; £950 a month ; £950/month ; 950 pounds per month ; £950 monthly ; It is £950 per month. ; £950 pcm | £950 per week ; €950 per month ; £590 per month ; 950 pounds a year
£950 per month | 950 pounds a month ; 950 pounds monthly | 950 pounds a week ; 950 euros a month
20 pounds an hour | £20 per hour ; £20/h ; £20 an hour ; £20/hr | £20 per day ; £2 per hour
3 times a day | thrice a day ; 3x/day ; 3x a day ; three times daily ; 3 times per day ; three times a day ; thrice daily ; 3×/day | twice a day ; 3x/week ; once a day ; thrice a week
thrice a day | 3x/day ; three times a day ; 3 times daily | 2x/day ; twice a day ; three times a week
twice a week | 2x/week ; 2x a week ; two times a week ; twice weekly | thrice a week ; 2x/day
Take it 3x/day. | Take it thrice a day. ; Take it three times a day. | Take it twice a day.
`,
);

const temperatures = byReference(
  "What temperature is needed?",
  `
180 °C | 180C ; 180 C ; 180°C ; 180ºC ; 180 ºC ; 180 degrees Celsius ; 180 degrees C ; It needs 180C. | 180F ; 180 °F ; 108C ; 180ºF ; 190C
180C | 180 °C ; 180 degrees Celsius ; 180°C | 180 °F ; 18 °C ; 350F
350F | 350 °F ; 350 degrees Fahrenheit ; 350 F ; 350ºF ; 350°F | 350 °C ; 350C ; 530F
180ºC | 180 °C ; 180C | 180 °F ; 180F
Bake at 180 °C. | Bake at 180C. ; Bake at 180ºC. | Bake at 180F. ; Bake at 200C.
-5 °C | -5C ; −5 ºC ; minus 5 degrees Celsius | 5C ; -5F
`,
);

const durations = byReference(
  "How long does it take?",
  `
2 hours 30 minutes | 2h30 ; 2h30m ; 2h 30m ; 2:30 h ; 2h30min ; 2 h 30 min ; 2.5 hours ; 150 minutes ; 2:30 hours ; It takes 2h30. ; two and a half hours ; 2hrs 30mins | 2h20 ; 2h 20m ; 3:30 h ; 2:03 h ; 30 minutes ; 2 hours ; 3h20
2h30 | 2 hours 30 minutes ; 2.5 hours ; 150 minutes ; 2h 30m ; 2:30 h | 2 hours ; 2h03 ; 3h30
2h 30m | 2h30 ; 2 hours and 30 minutes ; 150 min | 2 hours ; 2 h 3 min ; 3h 20m
2:30 h | 2h30 ; 2.5 h ; 150 minutes | 2:03 h ; 30 minutes
1h15 | 1 hour 15 minutes ; 75 minutes ; 1:15 h | 1h50 ; 115 minutes
The flight takes 2 hours 30 minutes. | The flight takes 2h30. ; The flight takes 2h 30m. ; The flight takes 2:30 h. | The flight takes 2h20. ; The flight takes 3h.
`,
);

const otherUnits = [
  ...byReference(
    "What is the pressure?",
    "250 kPa | 2.5 bar ; 250 kilopascals ; 2500 hPa ; 250,000 Pa | 25 bar ; 250 bar ; 250 Pa\n2.5 bar | 250 kPa ; 2.5 bars ; 2500 mbar | 25 kPa ; 2.5 kPa",
  ),
  ...byReference(
    "How many guests may come?",
    `
up to 4 | a maximum of four ; a maximum of 4 ; maximum of 4 ; at most four ; max. 4 ; no more than four ; 4 at most ; not more than 4 | a minimum of four ; at least four ; a maximum of five ; more than 4
a maximum of four | up to 4 ; at most 4 ; up to four people | at least 4 ; up to 5
at least 3 | a minimum of three ; minimum of 3 | a maximum of three ; a minimum of two
0 | none ; nil ; None. ; Nil ; zero ; no guests | one ; 1 ; ten ; some
none | 0 ; zero ; none ; nil | 1 ; one
nil | 0 ; none ; zero ; nil | 1 ; two
`,
  ),
  ...byReference("What was the score?", "0 | nil ; zero ; 0 | 1 ; one"),
  ...byReference(
    "When was it built?",
    `
the 1960s | the sixties ; The sixties. ; in the sixties ; the 60s ; 1960s ; in the 1960s ; the nineteen-sixties ; the '60s | the seventies ; the 1950s ; 60 ; the fifties ; the 1860s
the sixties | the 1960s ; 1960s ; the '60s | the 1970s ; the fifties
It was built in the 1980s. | It was built in the eighties. ; It was built in the '80s. | It was built in the nineties.
`,
  ),
  ...byReference("How old is she?", "in her sixties | in her sixties | in her fifties"),
];

const shortForms = [
  ...byReference(
    "Which place is it?",
    `
Mount Everest | Mt. Everest ; Mt Everest ; Mount Everest ; It is Mt. Everest. | Mount Elbrus ; Mt. Elbrus
Mt. Fuji | Mount Fuji ; Mt Fuji | Mount Etna
St. Petersburg | Saint Petersburg ; St Petersburg ; St. Petersburg ; Sankt Petersburg ; It is Saint Petersburg. | St. Louis ; Moscow
Saint Louis | St. Louis ; St Louis | St. Paul ; Saint Paul
Ft. Worth | Fort Worth ; Ft Worth | Fort Lauderdale
`,
  ),
  ...byReference(
    "Which company is it?",
    `
Acme Corporation | Acme Corp. ; Acme Corp ; Acme Corporation ; It is Acme Corp. | Apex Corp. ; Apex Corporation
Acme Corp. | Acme Corporation ; ACME Corp | Apex Corporation
Ford Motor Company | Ford Motor Co. ; Ford Motor Co ; Ford Motor Company | General Motors Co. ; General Motors Company
Acme Limited | Acme Ltd. ; Acme Ltd ; ACME LTD | Apex Ltd.
Acme Ltd. | Acme Limited ; Acme Ltd | Apex Limited ; Unlimited
Acme Incorporated | Acme Inc. ; Acme Inc | Apex Inc.
Smith Brothers | Smith Bros. ; Smith Bros | Jones Bros.
`,
  ),
];

/** Kinds of amounts and of their short forms. */
export const AMOUNT_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "m is million where something is counted": magnitudes,
  "decimals in words": spelled,
  "prices and frequencies per period": rates,
  "temperatures without a degree sign": temperatures,
  "short forms of durations": durations,
  "pressures, bounds, nothing and decades in words": otherUnits,
  "short forms in names": shortForms,
};
