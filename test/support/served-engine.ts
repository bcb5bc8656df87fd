// An engine as one server of several has it, one after the other: when the server stops, the
// watches that it opened end, and the engine goes on for the next. So a server can be started again
// in a test, and its data are still there.

import type { MemoryEngine } from "../../server/engines/memory.js";
import type { MemoryWatcher } from "../../server/engines/memory-watcher.js";
import type { Engine, Watcher } from "../../server/kv/engine.js";
import { KvdError } from "../../server/kv/errors.js";

export function servedEngine(engine: MemoryEngine): Engine {
  const watchers = new Set<MemoryWatcher>();
  let stopped = false;
  const stop = () => new KvdError("SHUTTING_DOWN", "the server is shutting down");
  const calls = new Proxy(engine, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  return Object.assign(Object.create(calls) as Engine, {
    watch(...[spec]: Parameters<Engine["watch"]>): Watcher {
      if (stopped) throw stop();
      const watcher = engine.watch(spec) as MemoryWatcher;
      watchers.add(watcher);
      watcher.ended.then(() => watchers.delete(watcher));
      return watcher;
    },
    endWatches() {
      stopped = true;
      for (const watcher of watchers) watcher.end(stop());
    },
  });
}
