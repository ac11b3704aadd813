import { byReference, type Case } from "./kinds.cases";

const letters = [
  ...byReference(
    "Which one is it?",
    `
\\D | \\D ; It is \\D. ; \`\\D\` ; Use \`\\D\`. | \\d ; \`\\d\` ; \\w ; D
\\d | \\d ; \`\\d\` ; It is \\d. | \\D ; \`\\D\` ; \\s ; d
\\S+ | \\S+ ; \`\\S+\` | \\s+
-I | -I ; \`-I\` ; It is -I. ; The -I flag | -i ; \`-i\` ; It is -i. ; The -i flag ; --I
-i | -i ; \`-i\` ; Use -i. | -I ; Use -I. ; -v
grep -i | grep -i ; \`grep -i\` | grep -I ; grep -v ; grep
--Version | --Version ; \`--Version\` | --verbose
ls -a | ls -a ; \`ls -a\` ; Run ls -a. ; It is \`ls -a\`. | ls ; \`ls\` ; ls -l ; ls -A ; Run ls.
ls | ls ; \`ls\` ; Run \`ls\`. | ls -a ; \`ls -a\` ; ls -la ; dir
git push | git push ; \`git push\` | git push --force ; git pull ; git push -f
tar -xzf | tar -xzf | tar -czf ; tar
O(n log n) | O(n log n) ; It is O(n log n). | O(log n) ; O(n) ; O(n²) ; It is O(log n).
O(log n) | O(log n) ; It is O(log n). | O(n log n) ; O(n) ; O(log log n)
O(1) | O(1) ; It is O(1). | O(n) ; O(10)
`,
  ),
  ...byReference(
    "Which symbol is used?",
    `
M | M ; M. ; It is M. ; \`M\` ; The symbol is M. | m ; m. ; It is m. ; K
m | m ; m. ; It is m. ; \`m\` | M ; M. ; It is M. ; k
Co | Co ; Co. ; It is Co. ; **Co** | CO ; CO. ; It is CO. ; Cu
CO | CO ; CO. ; It is CO. | Co ; Co. ; It is Co. ; CO2
Pa | Pa ; It is Pa. | PA ; Pb
mW | mW ; It is mW. | MW ; It is MW. ; kW
MW | MW ; It is MW. | mW ; It is mW. ; GW
`,
  ),
  ...byReference(
    "What is the answer?",
    "B | B ; b ; B) | A ; a\nParis | paris ; PARIS | london\nUS | US ; U.S. | UK\nAspirin | aspirin ; ASPIRIN | ibuprofen\nyes | YES ; Yes | NO\nDNA | dna ; DNA | RNA",
  ),
];

const units = byReference(
  "How much is it?",
  `
5 mW | 5 mW ; 5 milliwatts ; 0.005 W ; It is 5 mW. | 5 MW ; 5 megawatts ; 5 W ; 5 kW
5 MW | 5 MW ; 5 megawatts ; 5000 kW | 5 mW ; 5 milliwatts ; 5 kW
100 Mb | 100 Mb ; 100 megabits ; 100 Mbit ; 12.5 MB | 100 MB ; 100 megabytes
100 MB | 100 MB ; 100 megabytes ; 800 Mbit | 100 Mb ; 100 Mbit ; 100 megabits
100 Mbit/s | 100 Mbps ; 100 Mbit/s ; 100 Mb/s ; 100 megabits per second ; 0.1 Gbps ; 100 Mbit per second | 100 MB/s ; 100 kbps ; 100 Mbit/h ; 10 Mbps
100 Mbps | 100 Mbit/s ; 100 Mb/s ; 100 mbps | 100 MB/s ; 100 MBps
1 Gbps | 1 Gbit/s ; 1 Gb/s ; 1000 Mbps ; 1 gigabit per second | 1 GB/s ; 1 Mbps
8 GB | 8 GB ; 8 gb ; 8 gigabytes ; 8000 MB | 8 Gb ; 8 Gbit ; 8 MB
16 kB | 16 kB ; 16 KB ; 16 kilobytes | 16 kbit ; 16 MB
5 ms | 5 ms ; 0.005 s | 5 s ; 5 min
3 kW | 3 kW ; 3 KW ; 3000 W | 3 W ; 3 MW
500 mg | 500 mg ; 500 MG ; 0.5 g | 500 g ; 5 mg
`,
);

const codes = byReference(
  "What is it called?",
  `
ORD-451 | ORD-451 ; ord-451 ; It is ORD-451. ; ORD 451 | ORD-00451 ; ORD-0451 ; ORD-452 ; It is ORD-00451. ; ORD-4510
ORD-00451 | ORD-00451 ; It is ORD-00451. ; ord-00451 | ORD-451 ; ORD-0451 ; It is ORD-451.
A007 | A007 ; It is A007. | A7 ; A07 ; A008
007 | 007 ; It is 007. ; Agent 007 | 008 ; 0070
Room 05 | Room 05 ; room 05 ; Room 5 | Room 50 ; Room 6
INV-2024-0012 | INV-2024-0012 ; inv-2024-0012 | INV-2024-12 ; INV-2024-0021
Ca2+ | Ca2+ ; Ca²⁺ ; It is Ca2+. | Ca2- ; Ca+ ; Ca ; Ca3+
2+ | 2+ ; +2 ; It is 2+. ; 2⁺ ; The charge is 2+. | 2- ; -2 ; 2⁻ ; It is 2-. ; 3+ ; 1+
2- | 2- ; 2⁻ ; It is 2-. ; 2− ; The charge is 2-. | 2+ ; +2 ; 2⁺ ; It is 2+. ; 3-
SO4 2- | SO4 2- | SO4 2+ ; SO4
`,
);

/** Kinds of code, symbols and identifiers whose case, zeros and signs count. */
export const CODE_KINDS: Readonly<Record<string, readonly Case[]>> = {
  "letters of code and symbols keep their case": letters,
  "units of different sizes keep their case": units,
  "identifiers and charges keep their zeros and signs": codes,
};
