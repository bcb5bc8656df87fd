// The heap against a sorted array.

import test from "ava";
import fc from "fast-check";
import { Heap } from "../../../server/lib/heap.js";

interface Item {
  rank: number;
  heapIndex: number;
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("push" as const), rank: fc.integer({ min: 0, max: 20 }) }),
    fc.record({
      kind: fc.constantFrom("remove" as const, "update" as const),
      at: fc.nat(),
      rank: fc.integer({ min: 0, max: 20 }),
    }),
  ),
  { maxLength: 60 },
);

test("the heap's first item has the lowest rank after any pushes, removals and changes of rank", (t) => {
  fc.assert(
    fc.property(steps, (list) => {
      const heap = new Heap<Item>();
      const items: Item[] = [];
      for (const step of list) {
        if (step.kind === "push") {
          const item = { rank: step.rank, heapIndex: -1 };
          items.push(item);
          heap.push(item);
        } else if (items.length > 0) {
          const item = items[step.at % items.length] as Item;
          if (step.kind === "remove") {
            items.splice(items.indexOf(item), 1);
            heap.remove(item);
            heap.remove(item);
          } else {
            item.rank = step.rank;
            heap.update(item);
          }
        }
        const lowest = Math.min(...items.map(({ rank }) => rank));
        if (heap.size !== items.length) return false;
        if (items.length > 0 && heap.peek()?.rank !== lowest) return false;
      }
      return true;
    }),
  );
  t.pass();
});
