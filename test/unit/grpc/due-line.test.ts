// What is due in a line: in the order in which it began, once, and only while it stands there.

import test from "ava";
import { DueLine, DueLink } from "../../../server/lib/due-line.js";
import { ManualClock } from "../../support/manual-clock.js";

class Item extends DueLink<Item> {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

function openLine() {
  const clock = new ManualClock();
  const due: string[] = [];
  const onDue = (item: Item) => due.push(item.name);
  return { clock, due, line: new DueLine<Item>({ maxMs: 100, clock, onDue }) };
}

test("items are due a fixed time after each began, in that order", (t) => {
  const { clock, due, line } = openLine();
  line.begin(new Item("a"));
  clock.advance(60);
  line.begin(new Item("b"));
  clock.advance(40);
  t.deepEqual([...due], ["a"]);
  clock.advance(60);
  t.deepEqual(due, ["a", "b"]);
  t.is(line.size, 0);
});

test("what leaves from the front, the middle or the end is not due, the others are", (t) => {
  const { clock, due, line } = openLine();
  const items = ["a", "b", "c", "d", "e"].map((name) => new Item(name));
  for (const item of items) line.begin(item);
  for (const index of [0, 2, 4, 2]) line.delete(items[index] as Item);
  t.is(line.size, 2);
  clock.advance(100);
  t.deepEqual(due, ["b", "d"]);
});

test("an item that begins again, or in another line, has its time anew", (t) => {
  const { clock, due, line } = openLine();
  const other = new DueLine<Item>({ maxMs: 100, clock, onDue: ({ name }) => due.push(`${name}2`) });
  const [again, moved] = [new Item("again"), new Item("moved")];
  line.begin(again);
  line.begin(moved);
  clock.advance(50);
  line.begin(again);
  other.begin(moved);
  t.deepEqual([line.size, other.size], [1, 1]);
  line.delete(moved);
  clock.advance(50);
  t.deepEqual([...due], []);
  clock.advance(50);
  t.deepEqual(due.sort(), ["again", "moved2"]);
});

test("nothing is due in a line that is closed", (t) => {
  const { clock, due, line } = openLine();
  line.begin(new Item("a"));
  line.close();
  line.begin(new Item("b"));
  clock.advance(1000);
  t.deepEqual(due, []);
});
