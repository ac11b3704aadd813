import { byContext, type Case } from "./kinds.cases";

const swaps = byContext(`
Adults pay €12, children under 12 pay €5. | Adults pay €12. ; Children under 12 pay €5. ; Adults pay €12 and children under 12 pay €5. ; Children under 12 pay €5, adults pay €12. | Children under 12 pay €12. ; Adults pay €5. ; Children pay €12. ; Children under 12 pay €12, adults pay €5.
Check-in from 15:00, check-out by 11:00. | Check-in is from 15:00. ; Check-in is at 15:00. ; Check-out is by 11:00. ; Check-out is at 11:00. ; Check-in from 15:00. | Check-in is at 11:00. ; Check-out is at 15:00. ; Check-in is from 11:00. ; Check-out by 15:00. ; Check-in from 11:00, check-out by 15:00.
Breakfast is served from 7:00, dinner from 18:30. | Breakfast is served from 7:00. ; Dinner is served from 18:30. | Breakfast is served from 18:30. ; Dinner is served from 7:00.
Members pay $20 per month and guests pay $35 per month. | Members pay $20 per month. ; Guests pay $35 per month. | Members pay $35 per month. ; Guests pay $20 per month.
The north gate opens at 8:00, the south gate at 10:00. | The north gate opens at 8:00. ; The south gate opens at 10:00. | The north gate opens at 10:00. ; The south gate opens at 8:00.
Dogs under 10 kg cost €4, larger dogs cost €9. | Dogs under 10 kg cost €4. ; Larger dogs cost €9. | Dogs under 10 kg cost €9. ; Larger dogs cost €4.
Plan A includes 5 GB, plan B includes 20 GB. | Plan A includes 5 GB. ; Plan B includes 20 GB. | Plan A includes 20 GB. ; Plan B includes 5 GB.
Adults pay €12; seniors and children pay €5. | Seniors pay €5. ; Children pay €5. ; Adults pay €12. | Seniors pay €12. ; Children pay €12. ; Adults pay €5.
The museum opened in 1990, closed in 2001 and reopened in 2005. | The museum opened in 1990. ; The museum closed in 2001. ; The museum reopened in 2005. | The museum opened in 2005.
Rooms start at €80; suites start at €140. | Rooms start at €80. ; Suites start at €140. | Rooms start at €140. ; Suites start at €80.
`);

/** Kinds of claims that attach a value to the wrong thing in a sentence. */
export const SWAP_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "values of two things in a sentence are not swapped": swaps,
};
