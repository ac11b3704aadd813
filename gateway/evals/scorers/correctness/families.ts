/** A country or continent, and who and what comes from there, as `normaliseWord` writes them. */
const FAMILIES = `
  us usa states america american americans; uk kingdom britain british briton britons; england english; scotland scottish scots; wales welsh
  ireland irish; france french; germany german germans; netherlands dutch holland; spain spanish spaniard; italy italian italians
  portugal portuguese; greece greek greeks; turkey turkish turks; russia russian russians; poland polish poles
  sweden swedish swedes; norway norwegian norwegians; denmark danish danes; finland finnish finns; switzerland swiss
  austria austrian austrians; hungary hungarian hungarians; czechia czech czechs; romania romanian romanians; ukraine ukrainian
  china chinese; japan japanese; korea korean koreans; india indian indians; pakistan pakistani; philippines filipino filipinos philippine
  thailand thai; vietnam vietnamese; israel israeli israelis; egypt egyptian egyptians; iran iranian persian persia
  iraq iraqi; syria syrian; canada canadian canadians; mexico mexican mexicans; brazil brazilian brazilians
  argentina argentine argentinian; cuba cuban; peru peruvian; chile chilean; australia australian australians
  europe european europeans; africa african africans; asia asian asians; rome roman romans
`;

const FAMILY_OF: ReadonlyMap<string, number> = new Map(
  FAMILIES.split(/[;\n]/).flatMap((names, family) =>
    names
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map((name): [string, number] => [name, family]),
  ),
);

/** Number of the family a word belongs to; undefined for the most. */
export const familyOf = (norm: string): number | undefined => FAMILY_OF.get(norm);
