import { byContext, byReference, type Case } from "./kinds.cases";

/** A verdict before a claim answers the question; it does not deny the claim. */
const verdictsBeforeClaims = byContext(`
Batteries are not included. | No, batteries are not included. ; No - batteries are not included. ; No – batteries are not included. ; No; batteries are not included. ; No: batteries are not included. ; Unfortunately not, batteries are not included. ; Unfortunately, no: batteries are not included. ; No, unfortunately batteries are not included. ; **No**, batteries are not included. ; No, they aren't: batteries are not included. ; Yes, batteries are not included. | No, batteries are included. ; Yes, batteries are included. ; Unfortunately not, batteries are included. ; No batteries are not included, but chargers are.
Parking costs €5 per day. | No, parking costs €5 per day. ; Nope, parking costs €5 per day. ; No, it isn't. Parking costs €5 per day. ; Sorry, no, parking costs €5 per day. ; No. Parking costs €5 per day. | No, parking costs €6 per day. ; No, parking is free. ; No parking costs €5 per day. ; No, parking does not cost €5 per day.
The pool is open in winter. | Yes, the pool is open in winter. ; Yes – the pool is open in winter. ; Correct, the pool is open in winter. ; Of course, the pool is open in winter. ; No, the pool is open in winter. ; Yes, it is; the pool is open in winter. | No, the pool is not open in winter. ; Yes, the pool is closed in winter.
Dogs are allowed on the terrace. | Yes, dogs are allowed on the terrace. ; No, dogs are allowed on the terrace. | No, dogs are not allowed on the terrace. ; No dogs are allowed on the terrace. ; Never are dogs allowed on the terrace.
Das Museum ist am Montag geschlossen. | Nein, das Museum ist am Montag geschlossen. ; Nein – das Museum ist am Montag geschlossen. ; Leider nein, das Museum ist am Montag geschlossen. ; Leider nicht: Das Museum ist am Montag geschlossen. | Nein, das Museum ist am Montag nicht geschlossen. ; Ja, das Museum ist am Montag nicht geschlossen.
Le parking coûte 5 euros par jour. | Non, le parking coûte 5 euros par jour. ; Non : le parking coûte 5 euros par jour. ; Malheureusement non, le parking coûte 5 euros par jour. | Non, le parking ne coûte pas 5 euros par jour. ; Non, le parking coûte 6 euros par jour.
El museo abre los domingos. | No, el museo abre los domingos. ; Sí, el museo abre los domingos. | No, el museo no abre los domingos.
O museu abre aos domingos. | Não, o museu abre aos domingos. ; Sim, o museu abre aos domingos. | Não, o museu não abre aos domingos. ; O museu não abre aos domingos.
Het museum is open op zondag. | Nee, het museum is open op zondag. ; Helaas niet, het museum is open op zondag. | Nee, het museum is niet open op zondag.
Il museo è aperto la domenica. | No, il museo è aperto la domenica. ; Purtroppo no, il museo è aperto la domenica. | No, il museo non è aperto la domenica.
`);

/** "No older than" limits a value; it denies nothing. */
const limits = [
  ...byReference(
    "What is the limit?",
    `
at least 21 | no younger than 21 ; not younger than 21 ; No younger than 21. ; no less than 21 ; You must be no younger than 21. ; no fewer than 21 | no older than 21 ; younger than 21 ; not at least 21
no younger than 21 | at least 21 ; 21 or older ; You must be at least 21. | at most 21 ; no older than 21
at most 30 minutes | no longer than 30 minutes ; It may take no longer than 30 minutes. ; not longer than 30 minutes ; no more than half an hour ; not to exceed 30 minutes ; 30 minutes at most | no shorter than 30 minutes ; longer than 30 minutes ; no longer than 40 minutes
no longer than 30 minutes | at most 30 minutes ; up to 30 minutes ; 30 minutes or less | at least 30 minutes ; no longer than 13 minutes
at most 1.90 m | no taller than 1.90 m ; no higher than 1.90 m | no shorter than 1.90 m ; taller than 2 m
at most 23 kg | no heavier than 23 kg ; not heavier than 23 kg ; It must be no heavier than 23 kg. | no lighter than 23 kg ; heavier than 23 kg ; no heavier than 32 kg
at least 16 °C | no lower than 16 °C ; no colder than 16 °C | no higher than 16 °C ; no warmer than 16 °C
at most 12 years | no older than 12 years ; not older than 12 | no younger than 12 years ; older than 12 years
by 5 May | no later than 5 May ; not later than 5 May ; It is due no later than 5 May. ; 5 May at the latest ; on or before 5 May | no later than 6 May ; no earlier than 5 May ; not before 5 May ; after 5 May
no later than 5 May | by 5 May ; It is due by 5 May. ; May 5 at the latest | no earlier than 5 May ; by 15 May ; from 5 May
no earlier than 5 May | from 5 May ; not before 5 May ; 5 May at the earliest | no later than 5 May ; by 5 May
by 10 pm | no later than 10 pm ; not later than 22:00 ; You must leave no later than 10 pm. | no earlier than 10 pm ; no later than 11 pm ; after 10 pm
no later than Friday | no later than Friday ; by Friday | no later than Monday
`,
  ),
  ...byReference(
    "Who may take part?",
    `
You must be at least 21 to rent a car. | You must be no younger than 21 to rent a car. ; You must not be younger than 21 to rent a car. | You must be no older than 21 to rent a car. ; You must be younger than 21 to rent a car. ; You must not be at least 21 to rent a car.
Renters must be no younger than 21. | Renters must be at least 21. ; Renters must be 21 or older. | Renters must be at most 21. ; Renters must not be 21.
Children must be no taller than 140 cm. | Children must be at most 140 cm tall. ; Children must be no taller than 140 cm. | Children must be at least 140 cm tall. ; Children must be taller than 140 cm.
Talks may take at most 30 minutes. | Talks may take no longer than 30 minutes. ; Talks must not exceed 30 minutes. | Talks may take no less than 30 minutes. ; Talks may take longer than 30 minutes.
The form must arrive by 5 May. | The form must arrive no later than 5 May. ; The form must not arrive later than 5 May. | The form must arrive no earlier than 5 May. ; The form must not arrive by 5 May.
The bag must weigh no more than 8 kg. | The bag must be no heavier than 8 kg. ; The bag must weigh at most 8 kg. | The bag must be heavier than 8 kg. ; The bag must weigh at least 8 kg.
The river is longer than the Rhine. | The river is longer than the Rhine. | The river is no longer than the Rhine. ; The river is not longer than the Rhine.
Anna is older than Ben. | Anna is older than Ben. | Anna is no older than Ben. ; Anna is not older than Ben.
`,
  ),
];

/** A bare verdict agrees with a statement that repeats what is asked. */
const verdictsOnStatements = [
  ...byReference(
    "Is the lift working?",
    `
The lift is working. | Yes. ; yes ; Yes, it is. ; Yes, it is working. ; It is working. ; The lift is working. ; Correct. ; Yes, it's open. ; Absolutely. ; Oui | No. ; No, it isn't. ; It is not working. ; No, it is broken. ; IDK ; Bananas. ; Yes and no. ; not true
The lift is not working. | No. ; No, it isn't. ; It isn't working. ; Nope. ; No, it is broken. | Yes. ; Yes, it is working. ; It is working. ; Correct. ; Sure! ; Bananas.
It isn't working. | No. ; It is not working. | Yes. ; It works. Yes.
The lift is working until 10 pm. | Yes, until 10 pm. | No. ; No, it isn't.
The lift was repaired in 2019. | The lift was repaired in 2019. | No. ; 2018
`,
  ),
  ...byReference(
    "Is smoking permitted on the balcony?",
    `
Smoking is prohibited on the balcony. | No. ; No, it is prohibited. ; It is not permitted. ; It's prohibited. | Yes. ; Yes, it is. ; It is permitted.
Smoking is permitted on the balcony. | Yes. ; It is permitted. ; Yes, it is. | No. ; It is prohibited. ; It isn't.
`,
  ),
  ...byReference(
    "Does the train run on Sundays?",
    `
The train runs on Sundays. | Yes. ; Yes, it does. ; It runs on Sundays. | No. ; No, it doesn't. ; It doesn't run on Sundays.
The train does not run on Sundays. | No. ; It doesn't. ; It does not run on Sundays. | Yes. ; Yes, it does.
`,
  ),
  ...byReference(
    "Which lift is working?",
    "The lift in hall B is working. | The lift in hall B is working. | Yes. ; No.",
  ),
  ...["Le magasin est-il ouvert ?", "Est-ce que le magasin est ouvert ?", "Est-ce que ce magasin est ouvert ?"].flatMap(
    (question) =>
      byReference(
        question,
        `
Non | Non. ; Le magasin n'est pas ouvert. ; Le magasin n’est pas ouvert. ; Il n'est pas ouvert. ; Le magasin est fermé. ; Il est fermé. ; Non, il est fermé. ; No. | Oui. ; Le magasin est ouvert. ; Il est ouvert. ; Bananes.
Oui | Oui. ; Le magasin est ouvert. ; Il est ouvert. ; Oui, il est ouvert. | Non. ; Le magasin n'est pas ouvert. ; Il n'est pas ouvert. ; Le magasin est fermé. ; Bananes.
Le magasin n'est pas ouvert. | Non. ; Non, il est fermé. | Oui. ; Le magasin est ouvert.
Le magasin est ouvert. | Oui. ; Oui, il est ouvert. | Non. ; Le magasin n'est pas ouvert.
`,
      ),
  ),
  ...byReference(
    "Y a-t-il un parking ?",
    "Non | Il n'y a pas de parking. ; Non. | Il y a un parking. ; Oui.\nOui | Il y a un parking. ; Oui. | Il n'y a pas de parking.",
  ),
  ...byReference(
    "Peut-on payer par carte ?",
    "Non | On ne peut pas payer par carte. ; Vous ne pouvez pas payer par carte. | On peut payer par carte. ; Oui.",
  ),
  ...byReference(
    "Quel magasin est ouvert ?",
    "Le magasin de Lyon est ouvert. | Le magasin de Lyon est ouvert. | Oui. ; Non.",
  ),
];

/** A name that is denied in another language is not the answer. */
const denialsElsewhere = [
  ...byReference(
    "首都是哪里？",
    `
北京 | 北京 ; 是北京。 ; 首都是北京。 ; 不是上海，是北京。 ; 是北京，不是上海。 | 不是北京 ; 不是北京。 ; 不是北京,是上海 ; 不是北京，而是上海。 ; 首都不是北京。 ; 并非北京。 ; 不在北京。
上海 | 不是北京,是上海 ; 不是北京，而是上海。 ; 上海，不是北京。 | 不是上海，是北京。 ; 北京，不是上海。
不丹 | 不丹 ; 是不丹。 | 不是不丹。
`,
  ),
  ...byReference(
    "首都はどこですか。",
    `
東京 | 東京 ; 東京です。 ; 首都は東京です。 ; 京都ではなく東京です。 ; 京都ではありません。東京です。 | 東京ではない ; 東京ではありません。 ; 東京じゃない。 ; 東京ではなく京都です。 ; 東京ではないです。
`,
  ),
  ...byReference(
    "수도는 어디입니까?",
    `
서울 | 서울 ; 서울입니다. ; 수도는 서울입니다. ; 부산이 아니라 서울입니다. | 서울이 아닙니다 ; 서울이 아니다. ; 서울이 아니라 부산입니다. ; 서울은 아니에요.
`,
  ),
  ...byReference(
    "Başkent neresidir?",
    `
Ankara | Ankara ; Ankara'dır. ; İstanbul değil, Ankara. ; Başkent Ankara. ; İstanbul değil Ankara | Ankara değil ; Ankara değildir. ; Ankara değil, İstanbul. ; Başkent Ankara değil.
`,
  ),
  ...byReference(
    "राजधानी क्या है?",
    `
दिल्ली | दिल्ली ; दिल्ली है। ; मुंबई नहीं, दिल्ली। | दिल्ली नहीं ; दिल्ली नहीं है। ; दिल्ली नहीं, मुंबई।
`,
  ),
  ...byReference(
    "ما هي العاصمة؟",
    `
القاهرة | القاهرة ; العاصمة هي القاهرة. ; ليست الإسكندرية بل القاهرة | ليست القاهرة ; ليست القاهرة بل الإسكندرية
`,
  ),
  ...byReference(
    "Какая столица?",
    `
Москва | Москва ; Это Москва. ; Не Киев, а Москва. | Не Москва. ; не Москва, а Киев ; Это не Москва.
`,
  ),
  ...byReference("Thủ đô là gì?", "Hà Nội | Hà Nội ; Thủ đô là Hà Nội. | không phải Hà Nội ; Không phải là Hà Nội."),
  ...byReference("เมืองหลวงคืออะไร", "กรุงเทพ | กรุงเทพ ; คือกรุงเทพ | ไม่ใช่กรุงเทพ"),
  ...byReference(
    "Apa ibu kotanya?",
    "Jakarta | Jakarta ; Bukan Bandung, Jakarta. | Bukan Jakarta. ; Bukan Jakarta, Bandung.",
  ),
  ...byReference("پایتخت کجاست؟", "تهران | تهران ; تهران است | تهران نیست"),
  ...byReference("מהי הבירה?", "ירושלים | ירושלים ; לא חיפה אלא ירושלים | לא ירושלים ; לא ירושלים אלא חיפה"),
];

/** Kinds of phrases that surround an answer or limit a value. */
export const PHRASE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "a verdict before a claim is not its negation": verdictsBeforeClaims,
  "no and a comparative limit a value": limits,
  "a bare verdict agrees with a statement": verdictsOnStatements,
  "a name denied in another language is not given": denialsElsewhere,
};
