// The gate for work that would fill the thread pool.

import test from "ava";
import { slowly } from "../../../server/lib/slow-work.js";

test("two at a time, in their order, also when one fails", async (t) => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const works = Array.from({ length: 5 }, (_, index) =>
    slowly(async () => {
      begun.push(index);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (index === 1) throw new Error("failed");
      return index;
    }),
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  t.deepEqual(begun, [0, 1]);
  ends[1]?.();
  await t.throwsAsync(works[1] as Promise<number>, { message: "failed" });
  await turn();
  t.deepEqual(begun, [0, 1, 2]);
  for (let index = 0; index < 5; index += 1) {
    ends[index]?.();
    await turn();
  }
  t.deepEqual(await Promise.all(works.filter((_, index) => index !== 1)), [0, 2, 3, 4]);
});
