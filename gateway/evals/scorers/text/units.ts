import { wordMap } from "./words";

/** What a quantity measures, and how large the unit is in the dimension's base unit. */
export interface Unit {
  dimension: string;
  factor: number;
  /** The unit that a rate is counted per: the year in "days per year". */
  per?: Unit;
}

const table = (dimension: string, units: Readonly<Record<string, number>>) =>
  Object.entries(units).map(([names, factor]): [string, Unit] => [names, { dimension, factor }]);

/** Metric prefixes: their letters in a unit's symbol, and their values. */
const PREFIXES: Readonly<Record<string, readonly [letters: string, value: number]>> = {
  nano: ["n", 1e-9],
  micro: ["u μ", 1e-6],
  milli: ["m", 1e-3],
  centi: ["c", 1e-2],
  kilo: ["k", 1e3],
  mega: ["m", 1e6],
  giga: ["g", 1e9],
  tera: ["t", 1e12],
};

/** A unit's symbol and names with each of the prefixes. */
const metric = (dimension: string, base: number, symbol: string, names: string, prefixes: string) =>
  prefixes.split(" ").flatMap((prefix) => {
    const [letters = "", value = 1] = PREFIXES[prefix] ?? [];
    const symbols = letters.split(" ").map((letter) => letter + symbol);
    const words = [...symbols, ...names.split(" ").map((name) => prefix + name)];
    return table(dimension, { [words.join(" ")]: base * value });
  });

/**
 * Units by their name or symbol, as `normaliseWord` returns it. Conversions are exact; currencies are not converted. An ambiguous
 * unit lists its dimensions, separated by a bar: `¥` is yen or yuan.
 */
const UNITS = wordMap([
  ...table("length", {
    "m meter meters metre metres": 1,
    kms: 1000,
    "inch inches": 0.0254,
    "ft foot feet": 0.3048,
    "yd yard yards": 0.9144,
    "mi mile miles": 1609.344,
  }),
  ...metric("length", 1, "m", "meter meters metre metres", "nano micro milli centi kilo"),
  ...metric("mass", 0.001, "g", "gram grams", "nano micro milli kilo"),
  ...table("mass", {
    mcg: 1e-9,
    "g gram grams": 0.001,
    "kgs kilo kilos": 1,
    "tonne tonnes": 1000,
    "oz ounce ounces": 0.028349523125,
    "lb lbs": 0.45359237,
  }),
  ...table("mass|gbp", { "pound pounds": 0.45359237 }),
  ...metric("time", 1, "s", "second seconds", "micro milli"),
  ...table("time", {
    "s sec secs second seconds sekunde sekunden segundo segundos secondes": 1,
    "min mins minute minutes minuten minuto minutos": 60,
    "h hr hrs hour hours stunde stunden heure heures hora horas": 3600,
    "day days tag tage tagen jour jours dia dias": 86_400,
    "week weeks woche wochen semaine semaines semana semanas": 604_800,
  }),
  ...table("years", {
    "month months monat monate monaten mois mes meses": 1 / 12,
    "year years yr yrs jahr jahre jahren ano anos annees": 1,
    "decade decades": 10,
    "century centuries": 100,
  }),
  ...table("length/time", { mph: 0.44704, "kmh kph": 1 / 3.6 }),
  ...table("data/time", { kbps: 125, mbps: 125e3, gbps: 125e6, tbps: 125e9 }),
  ...metric("volume", 1, "l", "liter liters litre litres", "milli"),
  ...table("volume", {
    "l liter liters litre litres": 1,
    "gallon gallons": 3.785411784,
    mm3: 1e-6,
    cm3: 0.001,
    ft3: 28.316846592,
    m3: 1000,
    km3: 1e12,
  }),
  ...metric("data", 0.125, "bit", "bit bits", "kilo mega giga tera"),
  ...metric("data", 1, "b", "byte bytes", "kilo mega giga tera"),
  ...table("binary data", { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }),
  ...table("frequency", { "hz hertz": 1 }),
  ...metric("frequency", 1, "hz", "hertz", "kilo mega giga tera"),
  ...table("pressure", {
    "pascal pascals": 1,
    "hpa hectopascal hectopascals mbar millibar millibars": 100,
    "kpa kilopascal kilopascals": 1e3,
    "bar bars": 1e5,
  }),
  ...table("power", { "milliwatt milliwatts": 1e-3, "w watt watts": 1 }),
  ...metric("power", 1, "w", "watt watts", "kilo mega giga"),
  ...table("energy", { wh: 1, kwh: 1e3, mwh: 1e6, gwh: 1e9 }),
  ...table("area", {
    mm2: 1e-6,
    cm2: 1e-4,
    ft2: 0.09290304,
    m2: 1,
    "ha hectare hectares": 1e4,
    "acre acres": 4046.8564224,
    km2: 1e6,
    mi2: 2589988.110336,
  }),
  ...table("kelvin", { "kelvin kelvins": 1 }),
  ...table("percent", { "percent percentage pct %": 1, "permille ‰": 0.1 }),
  ...table("usd", { "usd $ dollar dollars dolar dolares": 1, "cent cents": 0.01 }),
  ...table("eur", { "eur € euro euros": 1 }),
  ...table("gbp", { "gbp £ sterling": 1 }),
  ...table("inr", { "inr ₹ rupee rupees": 1 }),
  ...table("jpy|cny", { "¥": 1 }),
  ...table("jpy", { "jpy yen 円": 1 }),
  ...table("cny", { "cny rmb yuan renminbi 元": 1 }),
  ...table("krw", { "krw ₩ won 원": 1 }),
  ...table("rub", { "rub ₽ ruble rubles rouble roubles": 1 }),
  ...table("chf", { "chf francs": 1 }),
  ...table("cad", { cad: 1 }),
  ...table("aud", { aud: 1 }),
  ...table("times", { times: 1 }),
  ...table("angle", { arcdegrees: 1 }),
  ...table("celsius", { "celsius °C": 1 }),
  ...table("fahrenheit", { "fahrenheit °F": 1 }),
]);

/** Units by symbol, for symbols in which a different case is a different unit. */
const CASED = wordMap([
  ...table("power", { mW: 1e-3 }),
  ...table("pressure", { Pa: 1, MPa: 1e6 }),
  ...table("energy", { mWh: 1e-3 }),
  ...table("frequency", { mHz: 1e-3 }),
  ...table("data", { Kb: 125, Mb: 125e3, Gb: 125e6, Tb: 125e9 }),
  ...table("data/time", { kBps: 1e3, KBps: 1e3, MBps: 1e6, GBps: 1e9 }),
]);

/** Dimensions that measure the same kind of thing, without a fixed rate between them. */
const KINDS = wordMap([
  ["usd eur gbp inr jpy cny krw rub chf cad aud", "money"],
  ["celsius fahrenheit kelvin", "temperature"],
  ["time years", "duration"],
]);

export const isMoney = ({ dimension }: Unit): boolean =>
  dimension
    .replace(/\/.*/, "")
    .split("|")
    .some((name) => KINDS.get(name) === "money");

const isRate = ({ dimension }: Unit): boolean => dimension.includes("/");
/** The dimensions of a rate without its period: those of "$5" for "$5 per month". */
const amountOf = ({ dimension }: Unit): string[] => dimension.replace(/\/.*/, "").split("|");

const DAY_SECONDS = 86_400;

/**
 * Whether the same number is the same amount in two units ("same"), a different amount of the same kind ("rival": 30
 * days and 30 weeks, $5 and €5), or something else ("other": 5 mg and 5 ml). A unit or a rate may be missing: "$5 per
 * month", "$5".
 */
export const relationOf = (a: Unit | null, b: Unit | null): "same" | "rival" | "other" => {
  if (!a || !b) return "same";
  const [ofA, ofB] = [amountOf(a), amountOf(b)];
  const kinds = ofA.map((name) => KINDS.get(name) ?? name);
  if (!ofB.some((name) => kinds.includes(KINDS.get(name) ?? name))) return "other";
  if (isRate(a) !== isRate(b)) return ofA.some((name) => ofB.includes(name)) ? "same" : "rival";
  const isEqual = a.dimension === b.dimension ? a.factor === b.factor : isMoney(a) && isMoney(b);
  return isEqual && isSameDimension(a, b) ? "same" : "rival";
};

/** Whether two units may measure the same thing: "£" and "pounds", or "kg" and "pounds", but not "£" and "kg". */
export const isSameDimension = (a: Unit, b: Unit): boolean =>
  a.dimension === b.dimension || a.dimension.split("|").some((name) => b.dimension.split("|").includes(name));

/** The unit of a rate without its period: "days" for "days per year"; undefined for other rates, such as km/h. */
export const withoutPeriod = ({ dimension, factor, per }: Unit): Unit | undefined => {
  if (!per) return undefined;
  const amount = { dimension: dimension.replace(/\/.*$/, ""), factor: factor * per.factor };
  const isLong = per.dimension === "years" || (per.dimension === "time" && per.factor >= DAY_SECONDS);
  return isLong || (per.dimension === "time" && isMoney(amount)) ? amount : undefined;
};

/** The unit of a word as written: "mW" and "MW" differ. `norm` is its normalized form. */
export const unitByText = (text: string, norm: string): Unit | undefined => CASED.get(text) ?? UNITS.get(norm);
export const unitByName = (norm: string): Unit | undefined => UNITS.get(norm);
