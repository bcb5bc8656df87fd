// Says on stderr how far the reading of data is: at every tenth, once it has taken a second.

import type { LoadProgress } from "./engines/recovery.js";

const PROGRESS_AFTER_MS = 1000;

export function loadProgress(dataDir: string): (progress: LoadProgress) => void {
  const began = performance.now();
  let tenths = 0;
  return ({ bytes, totalBytes }) => {
    const now = Math.floor((bytes / totalBytes) * 10);
    if (now <= tenths || performance.now() - began < PROGRESS_AFTER_MS) return;
    tenths = now;
    process.stderr.write(`kvd: loading ${dataDir}: ${tenths * 10} %\n`);
  };
}
