/** Pairs of English opposites; a bar separates the two sides. */
const OPPOSITES = `
  allowed allow allows permitted permit legal lawful|forbidden forbid prohibited prohibits banned illegal disallowed unlawful
  safe harmless|dangerous hazardous harmful unsafe; increase increases increased rise rises rose grow grew|decrease decreases decreased fall falls fell decline declined drop dropped reduce reduced
  higher more greater larger|lower less fewer smaller; before|after; above|below; present|absent
  accepted accept approved approve approves confirmed|rejected reject rejects denied
  passed pass passes succeeded succeeds|failed fails; open opened opens|closed shut closes; alive|dead; won win wins|lost lose loses; guilty|innocent
  enabled enable enables|disabled disable disables; required mandatory compulsory necessary needed need needs|optional voluntary unnecessary
  hot|cold; early|late; positive|negative; included covered|excluded; agree agreed agrees|disagree disagreed disagrees
  true correct|false untrue incorrect wrong; likes liked loves loved|dislikes disliked hates hated; high|low; best|worst; maximum|minimum
  easy|difficult; strong|weak; fast|slow; cheap|expensive; majority|minority; north northern|south southern; visible|hidden; public|private
  started starts began begins|ended ends stopped stops; bought buys|sold sells; stronger|weaker; faster|slower; better|worse
`;

/** Number of each pair, negative for its second side. Keys are normalized by `normaliseWord`. */
export const SIDE_OF: ReadonlyMap<string, number> = new Map(
  OPPOSITES.trim()
    .split(/[;\n]/)
    .flatMap((pair, index) =>
      pair.split("|").flatMap((side, place) =>
        side
          .trim()
          .split(/\s+/)
          .map((word): [string, number] => [word, (index + 1) * (place === 0 ? 1 : -1)]),
      ),
    ),
);
