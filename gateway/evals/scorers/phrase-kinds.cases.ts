import { byContext, type Case } from "./kinds.cases";

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

/** Kinds of phrases that surround an answer or limit a value. */
export const PHRASE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "a verdict before a claim is not its negation": verdictsBeforeClaims,
};
