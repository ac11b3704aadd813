import { byReference, type Case } from "./kinds.cases";

const givenNames = [
  ...byReference(
    "Who leads the project?",
    `
Elena Vasquez-Ortega | Elena Vasquez-Ortega ; Vasquez-Ortega ; Dr. Vasquez-Ortega ; E. Vasquez-Ortega ; It is Elena Vasquez-Ortega. ; Elena Maria Vasquez-Ortega ; Ms Vasquez-Ortega ; Professor Elena Vasquez-Ortega | Miguel Vasquez-Ortega ; It is Miguel Vasquez-Ortega. ; M. Vasquez-Ortega ; Elena Ruiz
Miguel Santos | Miguel Santos ; Santos ; Mr. Santos | Elena Santos ; It is Elena Santos. ; Rui Santos leads it.
Bill Carter | Bill Carter ; Carter | Jimmy Carter ; Rosalynn Carter
Robert Miller | Robert Miller | Frank Miller ; Anne Miller
`,
  ),
  ...byReference(
    "Which paper is it?",
    "New York Times | The New York Times ; New York Times | Los Angeles Times ; Seattle Times\nWashington Post | The Washington Post | Huffington Post ; Jakarta Post",
  ),
  ...byReference(
    "In which state is it?",
    "North Carolina | North Carolina ; It is in North Carolina. | South Carolina ; It is in South Carolina.\nNorth Dakota | North Dakota | South Dakota",
  ),
];

const qualifiers = [
  ...byReference(
    "In which state or country is it?",
    `
Virginia | Virginia ; It is in Virginia. ; in northern Virginia ; Richmond, Virginia | West Virginia ; It is in West Virginia.
Mexico | Mexico ; It is in Mexico. | New Mexico ; It is in New Mexico.
West Virginia | West Virginia ; in West Virginia | Virginia
Ireland | Ireland ; It is in Ireland. | Northern Ireland
England | England ; in England | New England
Guinea | Guinea | Equatorial Guinea ; Papua New Guinea ; New Guinea
Africa | Africa ; in southern Africa | South Africa
`,
  ),
  ...byReference(
    "Which film is it?",
    `
Toy Story | Toy Story ; It is Toy Story. ; Toy Story (1995) ; Toy Story 1995 | Toy Story 3 ; It is Toy Story 3. ; Toy Story 2
Toy Story 3 | Toy Story 3 ; It is Toy Story 3. | Toy Story ; Toy Story 2
The Godfather | The Godfather ; It is The Godfather. | The Godfather Part II ; The Godfather: Part II ; The Godfather, Part III ; The Godfather II
The Godfather Part II | The Godfather Part II ; The Godfather: Part II ; The Godfather Part 2 | The Godfather ; The Godfather Part III
Rocky | Rocky ; It is Rocky. | Rocky IV ; Rocky II ; It is Rocky IV.
Kill Bill | Kill Bill | Kill Bill: Volume 2 ; Kill Bill Vol. 2
`,
  ),
  ...byReference(
    "Who was it?",
    `
Sammy Davis Jr. | Sammy Davis Jr. ; Sammy Davis, Jr. | Sammy Davis Sr. ; Sammy Davis, Sr.
Ken Griffey Sr. | Ken Griffey Sr. ; Ken Griffey, Sr. | Ken Griffey Jr.
Henry Ford | Henry Ford ; It was Henry Ford. | Henry Ford II ; Henry Ford III
`,
  ),
  ...byReference("Which language is it?", "Python | Python ; Python 3 ; It is Python. | Cython ; Ruby"),
];

const lists = [
  ...byReference(
    "Who founded the company?",
    `
Anna, Ben, Chloe | Anna, Ben, Chloe ; Anna, Ben and Chloe ; Chloe, Anna and Ben ; They are Anna, Ben, and Chloe. ; Ben, Chloe & Anna | Anna and Ben ; Anna, Ben ; Anna ; Ben and Chloe ; Anna, Ben and David ; It was Anna and Ben.
Anna, Ben and Chloe | Anna, Ben, Chloe ; Anna, Ben and Chloe | Anna and Ben ; Chloe ; Anna, Chloe
Anna Berg, Ben Hall and Chloe Kim | Anna Berg, Ben Hall and Chloe Kim ; Anna Berg, Chloe Kim, Ben Hall | Anna Berg and Ben Hall ; Ben Hall and Chloe Kim
Anna and Ben | Anna and Ben ; Ben and Anna | Anna ; Ben ; Anna and Chloe
`,
  ),
  ...byReference(
    "Which ingredients are needed?",
    `
flour, sugar and butter | flour, sugar, butter ; butter, sugar and flour ; You need flour, sugar and butter. | flour and sugar ; sugar, butter ; flour ; flour, sugar and eggs
flour, sugar, butter, eggs | flour, sugar, butter and eggs | flour, sugar and butter ; flour, sugar, butter, milk
`,
  ),
  ...byReference(
    "Where is it?",
    "Paris, France | Paris ; Paris, France | France ; Lyon, France\nAustin, Texas, USA | Austin, Texas ; Austin, Texas, USA | Dallas, Texas",
  ),
];

const alternatives = [
  ...byReference(
    "Who won the race?",
    `
Kim Lee | Kim Lee ; Kim Lee won. ; It was Kim Lee. ; Kim Lee, not Ana Paz. ; Kim Lee won, and Ana Paz was second. | Kim Lee or Ana Paz ; Ana Paz or Kim Lee ; Either Kim Lee or Ana Paz. ; It was Kim Lee or Ana Paz. ; Kim Lee or maybe Ana Paz ; Kim Lee / Ana Paz ; Maybe Kim Lee or Ana Paz won.
Kim Lee or Ana Paz | Kim Lee ; Ana Paz ; Kim Lee or Ana Paz | Rui Cruz
`,
  ),
  ...byReference("Was it Kim Lee or Ana Paz?", "Kim Lee | Kim Lee ; It was Kim Lee. | Kim Lee or Ana Paz ; Ana Paz"),
  ...byReference(
    "Which city is it?",
    "Paris | Paris ; It is Paris. | Paris or London ; London or Paris ; Paris or perhaps London",
  ),
];

/** Kinds of names that are nearly the reference's, and of lists and alternatives. */
export const NAME_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "another given name is another person": givenNames,
  "a qualifier makes another thing": qualifiers,
  "a list must be complete": lists,
  "alternatives are not an answer": alternatives,
};
