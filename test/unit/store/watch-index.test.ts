// The index of watches finds exactly those that a naive search finds, each once.

import test from "ava";
import fc from "fast-check";
import { Commit } from "../../../server/store/commit.js";
import { CommitEvents } from "../../../server/store/commit-events.js";
import type { TextBounds } from "../../../server/store/text-bounds.js";
import { tombstone } from "../../../server/store/version.js";
import type { Watch } from "../../../server/store/watch.js";
import { WatchIndex } from "../../../server/store/watch-index.js";
import { rowSpan } from "../../support/rows.js";

const letters = fc.constantFrom("a", "b", "\xff", "\0");
const text = fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));

/** The end of a prefix, counted out: there are few texts, and none sorts above four of \xff. */
function afterPrefix(prefix: string): string | undefined {
  for (let length = prefix.length; length > 0; length -= 1) {
    const last = prefix.charCodeAt(length - 1);
    if (last < 0xff) return prefix.slice(0, length - 1) + String.fromCharCode(last + 1);
  }
  return undefined;
}

const bounds: fc.Arbitrary<TextBounds> = fc.oneof(
  text.map((start) => ({ start, end: `${start}\0` })),
  text.map((start) => ({ start, end: afterPrefix(start) })),
  fc.tuple(text, fc.option(text, { nil: undefined })).map(([start, end]) => ({ start, end })),
  fc.constant({ start: "", end: undefined }),
);

const selects = ({ start, end }: TextBounds, key: string) =>
  key >= start && (end === undefined || key < end);

test("what matches is found once, whatever was added and taken away", (t) => {
  const property = fc.property(
    fc.array(bounds, { maxLength: 40 }),
    fc.array(fc.nat(39), { maxLength: 30 }),
    fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
    (all, gone, keys) => {
      const watches = all.map((each) => ({ bounds: each }) as unknown as Watch);
      const index = new WatchIndex();
      for (const watch of watches) index.add(watch);
      const left = new Set(watches);
      for (const place of gone) {
        const watch = watches[place];
        if (watch === undefined || !left.delete(watch)) continue;
        index.delete(watch);
      }
      const changes = keys.map((key, place) => ({
        key: Buffer.from(key, "latin1"),
        version: tombstone({ revision: 2, place }, "deleted"),
      }));
      const found: Watch[] = [];
      const { rows, ...span } = rowSpan(changes);
      const commit = new CommitEvents(new Commit(rows, { revision: 2, timeMs: 0, ...span }));
      index.each(commit, (watch) => found.push(watch));
      const matches = (watch: Watch) => keys.some((key) => selects(watch.bounds, key));
      t.is(new Set(found).size, found.length, "each once");
      for (const watch of found) t.true(left.has(watch) && matches(watch));
      for (const watch of left) t.is(found.includes(watch), matches(watch));
    },
  );
  fc.assert(property, { numRuns: 1000 });
});
