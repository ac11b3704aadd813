/*
 * Handwritten short answers that share words with a reference: 30 name something else, 20 are right. The labelled answers
 * are long and have few of these. No model is fitted to them.
 */

interface ShortAnswer {
  question: string;
  reference: string;
  output: string;
  label: 0 | 1;
}

/** Rows `question | reference | answer`. */
const rows = (label: 0 | 1, text: string): ShortAnswer[] =>
  text
    .trim()
    .split("\n")
    .map((row) => {
      const [question = "", reference = "", output = ""] = row.split(" | ").map((part) => part.trim());
      return { question, reference, output, label };
    });

export const NEAR_MISSES: readonly ShortAnswer[] = [
  ...rows(
    0,
    `
  which country | South Korea | North Korea
  who was president | George Washington | George Bush
  which war | World War II | World War I
  who wrote it | Herman Melville | Herman Miller
  which city | New York | New Orleans
  who was it | Michael Jordan | Michael Jackson
  who reigned | Queen Elizabeth II | Queen Elizabeth I
  which team | Los Angeles Lakers | Los Angeles Clippers
  which club | Manchester United | Manchester City
  which university | University of Oxford | University of Cambridge
  who sang it | John Lennon | Sean Lennon
  which ocean | the Pacific Ocean | the Atlantic Ocean
  which battle | Second Battle of Ypres | First Battle of Ypres
  which mountain | Mount Kilimanjaro | Mount Everest
  which lake | Lake Superior | Lake Michigan
  who wrote it | Charles Dickens | Charles Darwin
  which state | South Carolina | North Carolina
  which actress | Julia Roberts | Emma Roberts
  which cells | red blood cells | white blood cells
  which chamber | left ventricle | right ventricle
  which vitamin | vitamin D | vitamin C
  which film | Star Wars: Episode IV | Star Wars: Episode V
  who signs | the prime minister | the finance minister
  who won | Bayern Munich | Borussia Dortmund
  who wrote it | Jane Austen | It was written by Charlotte Bronte.
  who wrote it | Jane Austen | Jane Eyre
  what does it do | It increases blood pressure | It lowers blood sugar
  where is it | in the left lung | in the left kidney
  what is it made of | copper and tin | copper and zinc
  who played him | Robert De Niro | Robert Duvall
`,
  ),
  ...rows(
    1,
    `
  who painted it | Leonardo da Vinci | Leonardo
  which country | United States of America | the United States
  which country | United States of America | America
  who was it | Barack Obama | President Obama
  who wrote it | William Shakespeare | Shakespeare
  who was it | Dwayne "The Rock" Johnson | Dwayne Johnson
  who composed it | Wolfgang Amadeus Mozart | Mozart
  where is it | Paris, France | Paris
  what is it | a type of bird | It is a bird.
  how do plants feed | through photosynthesis | They photosynthesize.
  who played him | Robert Downey Jr. | Robert Downey
  when was it | during the Middle Ages | in the Middle Ages
  which war | World War II | the Second World War
  why did he leave | because he was ill | due to illness
  where is it | in the northern part of the country | in the north of the country
  what is it used for | to measure temperature | measuring temperature
  who discovered it | Marie and Pierre Curie | Pierre Curie and Marie Curie
  which party | the Democratic Party | Democrats
  what is the capital | Washington, D.C. | Washington DC
  which company | Apple Inc. | Apple
`,
  ),
];
