// Who may write between the fragments of a revision: nobody.

import test from "ava";
import { FragmentTurn } from "../../../server/etcd/fragment-turn.js";

test("while one watch gives fragments, others and replies wait, and go in their order", async (t) => {
  const turn = new FragmentTurn();
  const log: string[] = [];
  turn.after(() => log.push("at once"));
  turn.given(1n, { fragment: true });
  const other = turn.comes(2n)?.then(() => log.push("other"));
  turn.after(() => log.push("reply"));
  t.is(turn.comes(1n), undefined);
  turn.end(2n);
  t.deepEqual(log, ["at once"]);
  turn.given(1n, { fragment: false });
  t.is(turn.comes(2n), undefined);
  await other;
  t.deepEqual(log, ["at once", "reply", "other"]);
});

test("a stream that is over lets all go", async (t) => {
  const turn = new FragmentTurn();
  turn.given(1n, { fragment: true });
  const other = turn.comes(2n);
  turn.close();
  await t.notThrowsAsync(async () => other);
  t.is(turn.comes(2n), undefined);
});
