// Rooms of leaves never overlap, and are taken again.

import test from "ava";
import { type LeafRoom, LeafRooms } from "../../../server/store/leaf-rooms.js";
import { seededRandom } from "../../support/seeded-random.js";

test("rooms that are taken at the same time do not overlap", (t) => {
  const random = seededRandom(5);
  const rooms = new LeafRooms({ roomWords: 4 });
  const taken: LeafRoom[] = [];
  for (let count = 0; count < 20_000; count += 1) {
    const grows = count % 2000 < 1000;
    if (grows || taken.length === 0) taken.push(rooms.take());
    else rooms.give(taken.splice(random.below(taken.length), 1)[0] as LeafRoom);
    if (count % 500 !== 0) continue;
    for (const [index, { chunk, from }] of taken.entries()) chunk.words.fill(index, from, from + 4);
    for (const [index, { chunk, from }] of taken.entries()) {
      if (chunk.words.subarray(from, from + 4).some((word) => word !== index)) t.fail("an overlap");
    }
  }
  t.pass();
});

test("as many rooms as were given back are taken without a new chunk", (t) => {
  const rooms = new LeafRooms({ roomWords: 4 });
  const taken = Array.from({ length: 200 }, () => rooms.take());
  const chunks = new Set(taken.map(({ chunk }) => chunk));
  const given = taken.filter((_, index) => index % 3 === 0);
  for (const room of given) rooms.give(room);
  t.true(given.every(() => chunks.has(rooms.take().chunk)));
});
