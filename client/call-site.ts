// The place in the caller's program where a call was made, for the stack of the error that it may
// reject with much later. Taking it is cheap; it becomes text only when there is an error.

/** Where a call was made. */
export interface CallSite {
  readonly stack?: string;
}

/** The present stack, without `below` and what it called. */
export function callSite(below: (...parameters: never[]) => unknown): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, below);
  return site;
}

/** The error, as if it had been thrown at the site. */
export function thrownAt<T extends Error>(error: T, site: CallSite): T {
  const frames = site.stack?.indexOf("\n") ?? -1;
  if (frames >= 0) error.stack = `${error.name}: ${error.message}${site.stack?.slice(frames)}`;
  return error;
}
