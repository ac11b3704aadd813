/** What a quantity measures, and how large the unit is in the dimension's base unit. */
export interface Unit {
  dimension: string;
  factor: number;
  /** The unit that a rate is counted per: the year in "days per year". */
  per?: Unit;
}

const table = (dimension: string, units: Readonly<Record<string, number>>): [string, Unit][] =>
  Object.entries(units).flatMap(([names, factor]) =>
    names.split(" ").map((name): [string, Unit] => [name, { dimension, factor }]),
  );

/**
 * Units by their name, as `normaliseWord` returns it. Conversions are exact; currencies are not converted. An ambiguous
 * unit lists its dimensions, separated by a bar: `¥` is yen or yuan.
 */
const UNITS: ReadonlyMap<string, Unit> = new Map([
  ...table("length", {
    "nm nanometer nanometers nanometre nanometres": 1e-9,
    "um μm micrometer micrometers micrometre micrometres": 1e-6,
    "mm millimeter millimeters millimetre millimetres": 0.001,
    "cm centimeter centimeters centimetre centimetres": 0.01,
    "m meter meters metre metres": 1,
    "km kms kilometer kilometers kilometre kilometres": 1000,
    "inch inches": 0.0254,
    "ft foot feet": 0.3048,
    "yd yard yards": 0.9144,
    "mi mile miles": 1609.344,
  }),
  ...table("mass", {
    "ng nanogram nanograms": 1e-12,
    "μg ug mcg microgram micrograms": 1e-9,
    "mg milligram milligrams": 1e-6,
    "g gram grams": 0.001,
    "kg kgs kilo kilos kilogram kilograms": 1,
    "tonne tonnes": 1000,
    "oz ounce ounces": 0.028349523125,
    "lb lbs": 0.45359237,
  }),
  ...table("mass|gbp", { "pound pounds": 0.45359237 }),
  ...table("time", {
    "ms millisecond milliseconds": 0.001,
    "μs us microsecond microseconds": 1e-6,
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
  ...table("volume", {
    "ml milliliter milliliters millilitre millilitres": 0.001,
    "l liter liters litre litres": 1,
    "gallon gallons": 3.785411784,
    mm3: 1e-6,
    cm3: 0.001,
    ft3: 28.316846592,
    m3: 1000,
    km3: 1e12,
  }),
  ...table("data", {
    "kbit kilobit kilobits": 125,
    "mbit megabit megabits": 125e3,
    "gbit gigabit gigabits": 125e6,
    "tbit terabit terabits": 125e9,
    "kb kilobyte kilobytes": 1e3,
    "mb megabyte megabytes": 1e6,
    "gb gigabyte gigabytes": 1e9,
    "tb terabyte terabytes": 1e12,
  }),
  ...table("binary data", { kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }),
  ...table("frequency", {
    "hz hertz": 1,
    "khz kilohertz": 1e3,
    "mhz megahertz": 1e6,
    "ghz gigahertz": 1e9,
    "thz terahertz": 1e12,
  }),
  ...table("pressure", {
    "pascal pascals": 1,
    "hpa hectopascal hectopascals mbar millibar millibars": 100,
    "kpa kilopascal kilopascals": 1e3,
    "bar bars": 1e5,
  }),
  ...table("power", {
    "milliwatt milliwatts": 1e-3,
    "w watt watts": 1,
    "kw kilowatt kilowatts": 1e3,
    "mw megawatt megawatts": 1e6,
    "gw gigawatt gigawatts": 1e9,
  }),
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
  ...table("percent", { "percent percentage pct": 1, permille: 0.1 }),
  ...table("usd", { "usd dollar dollars dolar dolares": 1, "cent cents": 0.01 }),
  ...table("eur", { "eur euro euros": 1 }),
  ...table("gbp", { "gbp sterling": 1 }),
  ...table("inr", { "inr rupee rupees": 1 }),
  ...table("jpy", { "jpy yen 円": 1 }),
  ...table("cny", { "cny rmb yuan renminbi 元": 1 }),
  ...table("krw", { "krw won 원": 1 }),
  ...table("rub", { "rub ruble rubles rouble roubles": 1 }),
  ...table("chf", { "chf francs": 1 }),
  ...table("cad", { cad: 1 }),
  ...table("aud", { aud: 1 }),
  ...table("times", { times: 1 }),
  ...table("angle", { arcdegrees: 1 }),
  ...table("celsius", { celsius: 1 }),
  ...table("fahrenheit", { fahrenheit: 1 }),
]);

/** Units by symbol where another case is another unit. */
const CASED: ReadonlyMap<string, Unit> = new Map([
  ...table("power", { mW: 1e-3 }),
  ...table("pressure", { Pa: 1, MPa: 1e6 }),
  ...table("energy", { mWh: 1e-3 }),
  ...table("frequency", { mHz: 1e-3 }),
  ...table("data", { Kb: 125, Mb: 125e3, Gb: 125e6, Tb: 125e9 }),
  ...table("data/time", { kBps: 1e3, KBps: 1e3, MBps: 1e6, GBps: 1e9 }),
]);

const SYMBOLS: ReadonlyMap<string, Unit> = new Map([
  ["%", { dimension: "percent", factor: 1 }],
  ["‰", { dimension: "percent", factor: 0.1 }],
  ["$", { dimension: "usd", factor: 1 }],
  ["€", { dimension: "eur", factor: 1 }],
  ["£", { dimension: "gbp", factor: 1 }],
  ["₹", { dimension: "inr", factor: 1 }],
  ["¥", { dimension: "jpy|cny", factor: 1 }],
  ["₩", { dimension: "krw", factor: 1 }],
  ["₽", { dimension: "rub", factor: 1 }],
  ["°C", { dimension: "celsius", factor: 1 }],
  ["°F", { dimension: "fahrenheit", factor: 1 }],
]);

/** Dimensions that measure the same kind of thing, without a fixed rate between them. */
const KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    money: "usd eur gbp inr jpy cny krw rub chf cad aud",
    temperature: "celsius fahrenheit kelvin",
    duration: "time years",
  }).flatMap(([kind, dimensions]) => dimensions.split(" ").map((dimension): [string, string] => [dimension, kind])),
);

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
export const unitBySymbol = (symbol: string): Unit | undefined => SYMBOLS.get(symbol);
