// Abort signals that many calls share: one listener a signal, however many calls wait on it,
// because Node warns of a leak at the eleventh.

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal is aborted; the function that it gives takes that back. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  const callbacks = waiting.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  waiting.set(signal, callbacks);
  const abort = () => {
    for (const callback of callbacks) callback();
  };
  signal.addEventListener("abort", abort, { once: true });
  return callbacks;
}
