// What is said of repeated measurements: the median, with the lowest and the highest.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** NaN of nothing. */
export function summaryOf(values: readonly number[]): Summary {
  return { median: medianOf(values), min: lowestOf(values), max: highestOf(values) };
}

/** The middle one; of an even count the mean of both in the middle. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/**
 * The ratio round by round where rounds alternated, since what disturbs one of a round disturbs the
 * other too; otherwise that of the medians.
 */
export function ratiosOf(over: readonly number[], under: readonly number[]): readonly number[] {
  if (over.length === 0 || under.length === 0) return [];
  if (over.length !== under.length) return [medianOf(over) / medianOf(under)];
  return over.map((value, round) => value / (under[round] as number));
}

function lowestOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((low, one) => Math.min(low, one));
}

function highestOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((high, one) => Math.max(high, one));
}
