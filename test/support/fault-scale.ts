// How much the tests of test/fault do: a little in `npm test`, all that is promised in
// `npm run test:fault`. The one place that reads KVD_FAULT and KVD_SEED.

const LONG = process.env["KVD_FAULT"] === "long";

/** Printed by whoever uses it, so that a failure can be had again. */
export const SEED = Number(process.env["KVD_SEED"] ?? Date.now() % 1_000_000);

export interface Counts {
  readonly quick: number;
  readonly long: number;
}

export function scaled({ quick, long }: Counts): number {
  return LONG ? long : quick;
}

/** Long enough that only what hangs reaches it. */
export const TIMEOUT_MS = scaled({ quick: 120_000, long: 3 * 3_600_000 });
