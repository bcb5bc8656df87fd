// Work that takes a thread of libuv's pool for long, such as compression: at most two at a time in
// this process. The pool has four threads, and the log's writes and syncs go through it too: with
// six long jobs queued, one sync was measured to wait 99 ms instead of 0.2.

const AT_ONCE = 2;

let running = 0;
const waiting: (() => void)[] = [];

export async function slowly<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    // Whoever is next takes the place over.
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
