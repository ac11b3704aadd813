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

/** Kinds of phrases that surround an answer or limit a value. */
export const PHRASE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "a verdict before a claim is not its negation": verdictsBeforeClaims,
  "no and a comparative limit a value": limits,
};
