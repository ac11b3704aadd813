/** What a quantity measures, and how many of the dimension's base unit one unit is. */
export interface Unit {
  dimension: string;
  factor: number;
}

const table = (dimension: string, units: Readonly<Record<string, number>>): [string, Unit][] =>
  Object.entries(units).flatMap(([names, factor]) =>
    names.split(" ").map((name): [string, Unit] => [name, { dimension, factor }]),
  );

/**
 * Units by normalized name (`normaliseWord`). Conversions are exact; currencies are not converted. An ambiguous name
 * lists its dimensions with a bar between them: `¥` is yen or yuan.
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
    "s sec secs second seconds": 1,
    "min mins minute minutes": 60,
    "h hr hrs hour hours": 3600,
    "day days": 86_400,
    "week weeks": 604_800,
  }),
  ...table("years", { "month months": 1 / 12, "year years yr yrs": 1, "decade decades": 10, "century centuries": 100 }),
  ...table("volume", {
    "ml milliliter milliliters millilitre millilitres": 0.001,
    "l liter liters litre litres": 1,
    "gallon gallons": 3.785411784,
  }),
  ...table("data", {
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
  ...table("power", {
    "w watt watts": 1,
    "kw kilowatt kilowatts": 1e3,
    "mw megawatt megawatts": 1e6,
    "gw gigawatt gigawatts": 1e9,
  }),
  ...table("energy", { wh: 1, kwh: 1e3, mwh: 1e6, gwh: 1e9 }),
  ...table("area", { "ha hectare hectares": 1e4, "acre acres": 4046.8564224 }),
  ...table("kelvin", { "kelvin kelvins": 1 }),
  ...table("percent", { "percent percentage pct": 1, permille: 0.1 }),
  ...table("usd", { "usd dollar dollars": 1, "cent cents": 0.01 }),
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

const MONEY = new Set("usd eur gbp inr jpy cny krw rub chf cad aud".split(" "));

export const isMoney = ({ dimension }: Unit): boolean => dimension.split("|").some((name) => MONEY.has(name));

const SCALES = new Set(["celsius", "fahrenheit", "kelvin"]);

const SPANS = new Set(["time", "years"]);

/**
 * Whether the same number means different amounts in two units: two currencies, two temperature scales, or two sizes of
 * one dimension. Durations are excluded because people use them loosely.
 */
export const areRivals = (a: Unit | null, b: Unit | null): boolean => {
  if (!a || !b) return false;
  if (isSameDimension(a, b)) return a.dimension === b.dimension && a.factor !== b.factor && !SPANS.has(a.dimension);
  return (isMoney(a) && isMoney(b)) || (SCALES.has(a.dimension) && SCALES.has(b.dimension));
};

/** Whether two units may measure the same thing: "£" and "pounds", "kg" and "pounds", not "£" and "kg". */
export const isSameDimension = (a: Unit, b: Unit): boolean =>
  a.dimension === b.dimension || a.dimension.split("|").some((name) => b.dimension.split("|").includes(name));

export const unitByName = (norm: string): Unit | undefined => UNITS.get(norm);
export const unitBySymbol = (symbol: string): Unit | undefined => SYMBOLS.get(symbol);
