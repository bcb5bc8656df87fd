// Revisions come from below a mark on disk; without one, writes are refused and nothing changes.

import test from "ava";
import type { LogRecord } from "../../../server/store/backend.js";
import { MARK_STEP, MarkedBackend } from "../../../server/wal/marked-backend.js";
import { refused } from "../../support/refused.js";

function commit(revision: number): LogRecord {
  return { kind: "commit", commit: { revision, timeMs: 1, changes: [] }, granted: [], ended: [] };
}

test("the mark moves on long before it is reached", async (t) => {
  const marks: number[] = [];
  const backend = new MarkedBackend(async (mark) => {
    marks.push(mark);
  });
  await backend.begin(1);
  backend.reserve(commit(2));
  t.deepEqual(marks, [1 + MARK_STEP]);
  const half = 2 + MARK_STEP / 2;
  backend.reserve(commit(half));
  await backend.close();
  t.deepEqual(marks, [1 + MARK_STEP, half + MARK_STEP]);
  backend.reserve(commit(2 + MARK_STEP));
  t.is(backend.append(commit(2 + MARK_STEP)), 1);
  t.is(backend.durablePosition, 1);
});

for (const [code, reason] of [
  ["ENOSPC", "NO_SPACE"],
  ["EIO", "LOG_FAILED"],
] as const) {
  test(`beyond the mark a write is refused with ${reason} while the disk says ${code}`, async (t) => {
    let broken = false;
    const backend = new MarkedBackend(async () => {
      if (broken) throw Object.assign(new Error(`${code}: no`), { code });
    });
    await backend.begin(1);
    broken = true;
    backend.reserve(commit(1 + MARK_STEP));
    await backend.close();
    const error = await refused(t, reason, async () => backend.reserve(commit(2 + MARK_STEP)));
    t.regex(error.message, new RegExp(`revision ${2 + MARK_STEP} .*${code}`));
    // A lease takes no revision.
    t.notThrows(() => backend.reserve({ kind: "lease-renewed", id: 7n }));
    await backend.close();
    broken = false;
    await refused(t, reason, async () => backend.reserve(commit(2 + MARK_STEP)));
    await backend.close();
    t.notThrows(() => backend.reserve(commit(2 + MARK_STEP)));
  });
}

test("beyond the mark a write is refused while the disk takes its time", async (t) => {
  let settle = () => {};
  let marks = 0;
  const backend = new MarkedBackend(() => {
    marks += 1;
    return marks === 1
      ? Promise.resolve()
      : new Promise((resolve) => {
          settle = resolve;
        });
  });
  await backend.begin(1);
  backend.reserve(commit(1 + MARK_STEP));
  await refused(t, "LOG_FAILED", async () => backend.reserve(commit(2 + MARK_STEP)));
  settle();
  await backend.close();
  t.notThrows(() => backend.reserve(commit(2 + MARK_STEP)));
});
