// Randomness that a seed repeats: the same seed, the same choices.

export interface SeededRandom {
  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number;
  pick<T>(choices: readonly T[]): T;
}

/** Mulberry32: small, and good enough for choices of tests. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const below = (bound: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
  return {
    below,
    pick: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
  };
}
