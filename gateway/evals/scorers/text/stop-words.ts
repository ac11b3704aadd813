const list = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** Words of English that carry no matter of their own, as `normaliseWord` writes them. Negations are not among them. */
export const STOP_WORDS = list(`
  a an the this that these those there here it its he she him her his hers they them their theirs we us our ours you your
  yours i me my mine who whom whose which what when where why how and or but if so as than then of in on at by for with
  from to into onto over under about above below between through during before after up down out off is am are was were be
  been being do does did doing done have has had having can could may might must shall should will would also just only
  very too such some any each both either all most more many much other another own same one s t d ll re ve m
`);

export const ARTICLES = list("a an the");
