// The list of commits keeps what was pushed, whatever the times and sizes, from both its ends.

import test from "ava";
import fc from "fast-check";
import { History, type NewCommit } from "../../../server/store/history.js";
import { Rows } from "../../../server/store/rows.js";

const DAY = 86_400_000;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      count: fc.integer({ min: 1, max: 900 }),
      afterMs: fc.oneof(fc.nat(2000), fc.constantFrom(0, 49 * DAY, 50 * DAY, 4000 * DAY)),
      length: fc.constantFrom(1, 1, 1, 2, 65_534, 65_535, 65_536, 1_000_000),
    }),
  },
  fc.record({ kind: fc.constantFrom("oldest", "newest"), count: fc.nat(1500) }),
);

test("what was pushed is there, until it is dropped", (t) => {
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const history = new History(new Rows());
    const model: NewCommit[] = [];
    let revision = 1;
    let timeMs = 1_800_000_000_000;
    for (const each of steps) {
      if (each.kind === "push") {
        for (let left = each.count; left > 0; left -= 1) {
          revision += 1;
          timeMs += left === each.count ? each.afterMs : 1;
          const length = left === 1 ? each.length : 1;
          const commit = { revision, timeMs, first: revision * 3, length };
          history.push(commit);
          model.push(commit);
        }
        continue;
      }
      for (let left = Math.min(each.count, model.length); left > 0; left -= 1) {
        if (each.kind === "oldest") {
          history.dropOldest();
          model.shift();
        } else {
          history.dropNewest();
          model.pop();
          revision -= 1;
        }
      }
    }
    t.is(history.size, model.length);
    t.is(history.oldestRevision, model[0]?.revision);
    t.is(history.newestRevision, model.at(-1)?.revision);
    for (const commit of model) {
      const { revision: of } = commit;
      const kept = [history.timeOf(of), history.firstRowOf(of), history.lengthOf(of)];
      t.deepEqual(kept, [commit.timeMs, commit.first, commit.length]);
    }
    t.is(history.at((model[0]?.revision ?? 1) - 1), undefined);
    t.is(history.at(revision + 1), undefined);
  });
  fc.assert(property, { numRuns: 100 });
});
