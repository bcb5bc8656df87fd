// The word that was probably meant, by the number of slips between two words.

/** The nearest of them, unless the nearest is far off. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; slips: number } | undefined;
  for (const candidate of known) {
    const slips = slipsBetween(word.slice(0, 40), candidate);
    if (slips <= most && slips < (best?.slips ?? Number.POSITIVE_INFINITY)) {
      best = { word: candidate, slips };
    }
  }
  return best?.word;
}

/** A letter too many, too few, another, or two in the wrong order. */
function slipsBetween(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= right.length; to += 1) {
      const same = left[at - 1] === right[to - 1];
      const swapped = left[at - 1] === right[to - 2] && left[at - 2] === right[to - 1];
      next[to] = Math.min(
        (row[to] ?? 0) + 1,
        (next[to - 1] ?? 0) + 1,
        (row[to - 1] ?? 0) + (same ? 0 : 1),
        swapped && at > 1 ? (before[to - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = row;
    row = next;
  }
  return row[right.length] ?? 0;
}
