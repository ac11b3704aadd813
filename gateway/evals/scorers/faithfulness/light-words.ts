import { stemOf } from "../text/stem";

/**
 * Words by which an answer reports, orders and joins what it was given ("mentions", "overall", "a variety of"). That the
 * contexts lack them says little. Chosen by hand among the words that answers to many different contexts add of their own.
 */
const WORDS = `
  according account across additional additionally addition affect allow although always among an another anyone appear
  appreciate around aspect available average base based become both bring case certain choice choose claim clear clearly
  comment compare complaint concern consider consist contain continue criticism criticize customer depend describe despite
  detail determine different discuss due earlier emphasize enjoy ensure especially even example experience explain express
  fact factor favorite feature feedback feel find focus follow following found further furthermore general generally
  give given go great has help high highlight highly however important improve include including indicate individual
  information instead involve issue itself kind known lack later lead leave like likely list locate located location look
  made main make matter mean meanwhile mention mix moreover named need negative never new no none not note number
  offer option overall own part particular particularly pass passage past people person place plan point popular positive
  possible potential potentially praise present previous process provide range rather receive recent recommend refer
  regard regarding related remain report reputation request require result return reveal reviewer review say see seek seem
  select selection serve set several share show significant similar so some sort special specific specifically spot state
  still suggest suitable summary such take talk tell tend term text therefore thing think though through thus together
  toward try two type use used using various vary variety via visit visitor want way well while whether wide within
  without work yet
`;

export const LIGHT_STEMS: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/).map(stemOf));
