// Sizes as people read them.

const UNITS = ["KiB", "MiB", "GiB", "TiB"];

/** "1.5 MiB (1572864)": readable, and exact. */
export function bytesText(bytes: number): string {
  return bytes < 1024 ? roughBytesText(bytes) : `${roughBytesText(bytes)} (${bytes})`;
}

/** "1.5 MiB". */
export function roughBytesText(bytes: number): string {
  let amount = bytes;
  let unit = "bytes";
  for (const larger of UNITS) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = larger;
  }
  return `${Number(amount.toFixed(1))} ${unit}`;
}
