/**
 * xoshiro128** 1.1 (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators"). It only uses 32-bit
 * integers, so the same seed gives the same figures on every machine. Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** The 128 bits of state, not all 0. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** An integer from 0 to 2³² − 1, all equally likely. */
  nextUint32(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** An integer from 0 to `count` − 1. Probabilities differ by at most a fraction of `count` / 2³². */
  nextBelow(count: number): number {
    return Math.floor(this.nextUint32() * count * 2 ** -32);
  }
}

/** A generator whose state is derived from `seed`, an integer below 2³², by SplitMix with MurmurHash3's mixer. */
export const createRandom = (seed: number): Random => {
  let counter = seed;
  const nextWord = () => {
    counter = (counter + 0x9e3779b9) | 0;
    let word = counter;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return word ^ (word >>> 16);
  };
  return new Random(nextWord(), nextWord(), nextWord(), nextWord());
};
