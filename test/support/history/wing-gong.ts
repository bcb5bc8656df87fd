// The Wing & Gong checker: is there an order of the operations on one register, each between its
// call and its answer, in which every answer is right? It believes no revision: it has to search.
//
// The search is Lowe's: depth first, and no configuration (what was taken, and what the register
// then holds) is looked at twice, nor one that has only more of what is unknown behind it. What is
// unknown may be taken at any time after its call, but not after its end, or never. Five things
// keep it short, and lose no order: what is unknown and over counts no more; a read that fits is
// taken at once, unless something would be over with it; what is unknown is taken only where it
// makes something possible that was not, or would be over; of those that do the same, the first;
// values that nobody asks for are one.
// Beyond the budget it gives up: a failure.

import { ABSENT } from "./history.js";

/** What an operation wants of the register, and what it makes of it. */
export interface Step {
  readonly is?: string;
  readonly isNot?: string;
  readonly becomes?: string;
}

export interface RegisterOperation {
  readonly called: number;
  /** Undefined: it is not known whether it has taken effect. */
  readonly returned: number | undefined;
  /** Of what is unknown: after it, it has no effect any more. */
  readonly until?: number;
  /** One; of what is unknown, all that are possible. */
  readonly steps: readonly Step[];
}

export type Verdict = "linearizable" | "not linearizable" | "undecided";

/** Configurations of a register. */
const BUDGET = 300_000;

/** Stands for every value that no operation asks for. */
const UNASKED = "?";

export function linearize(
  operations: readonly RegisterOperation[],
  budget: number = BUDGET,
): Verdict {
  return new Search(operations, budget).run();
}

/** An operation that may come next, and how. */
interface Choice {
  readonly known: boolean;
  readonly index: number;
  readonly step: Step;
}

interface Frame {
  readonly choices: readonly Choice[];
  next: number;
  /** What was taken to come here, and what the register held before. */
  readonly taken: Choice | undefined;
  readonly before: Place;
}

/** What the register holds, and the latest call of all that was taken. */
interface Place {
  readonly state: string;
  readonly latest: number;
}

class Search {
  readonly #known: readonly RegisterOperation[];
  readonly #unknown: readonly RegisterOperation[];
  /** Unknown ones of one name do the same. */
  readonly #names: readonly string[];
  readonly #done: boolean[];
  /** A bit for each unknown one. */
  #used = 0n;
  /** By what is done and the state: the sets of unknown ones that were used to come there. */
  readonly #seen = new Map<string, bigint[]>();
  /** Unknown ones by the value that they want to find; those that do not. */
  readonly #wanting = new Map<string, number[]>();
  readonly #free: number[] = [];
  /** The ends of unknown ones in their order, each with a bit for all that are over then. */
  readonly #ends: Array<{ readonly until: number; readonly over: bigint }> = [];
  #left: number;
  /** Those before it are done. */
  #first = 0;
  #state = ABSENT;
  #latest = 0;
  #budget: number;

  constructor(operations: readonly RegisterOperation[], budget: number) {
    const byCall = withOneUnaskedValue(operations).sort((one, other) => one.called - other.called);
    this.#known = byCall.filter(({ returned }) => returned !== undefined);
    this.#unknown = byCall.filter(({ returned }) => returned === undefined);
    this.#names = this.#unknown.map(({ steps, until }) => JSON.stringify([steps, until]));
    this.#done = this.#known.map(() => false);
    for (const [index, { steps }] of this.#unknown.entries()) this.#file(index, steps);
    this.#fileEnds();
    this.#left = this.#known.length;
    this.#budget = budget;
  }

  run(): Verdict {
    const stack: Frame[] = [this.#frame(undefined, this.#place)];
    while (this.#left > 0) {
      const frame = stack.at(-1);
      if (frame === undefined) return "not linearizable";
      const choice = frame.choices[frame.next];
      frame.next += 1;
      if (choice === undefined) {
        this.#back(frame);
        stack.pop();
        continue;
      }
      const before = this.#place;
      this.#take(choice);
      if (!this.#isNew()) {
        this.#back({ choices: [], next: 0, taken: choice, before });
        continue;
      }
      this.#budget -= 1;
      if (this.#budget < 0) return "undecided";
      stack.push(this.#frame(choice, before));
    }
    return "linearizable";
  }

  get #place(): Place {
    return { state: this.#state, latest: this.#latest };
  }

  #frame(taken: Choice | undefined, before: Place): Frame {
    return { choices: this.#choices(), next: 0, taken, before };
  }

  #file(index: number, steps: readonly Step[]): void {
    const wanted = new Set(steps.map(({ is }) => is));
    if (wanted.has(undefined)) {
      this.#free.push(index);
      return;
    }
    for (const value of wanted) {
      const others = this.#wanting.get(value ?? "") ?? [];
      this.#wanting.set(value ?? "", [...others, index]);
    }
  }

  #fileEnds(): void {
    const ends = new Map<number, bigint>();
    for (const [index, { until }] of this.#unknown.entries()) {
      if (until !== undefined) ends.set(until, (ends.get(until) ?? 0n) | (1n << BigInt(index)));
    }
    let over = 0n;
    for (const [until, bits] of [...ends].sort(([one], [other]) => one - other)) {
      over |= bits;
      this.#ends.push({ until, over });
    }
  }

  #take({ known, index, step }: Choice): void {
    if (known) {
      this.#done[index] = true;
      this.#left -= 1;
      while (this.#done[this.#first]) this.#first += 1;
    } else {
      this.#used |= 1n << BigInt(index);
    }
    const operation = known ? this.#known[index] : this.#unknown[index];
    this.#latest = Math.max(this.#latest, operation?.called ?? 0);
    this.#state = step.becomes ?? this.#state;
  }

  #back({ taken, before }: Frame): void {
    if (taken === undefined) return;
    if (taken.known) {
      this.#done[taken.index] = false;
      this.#left += 1;
      this.#first = Math.min(this.#first, taken.index);
    } else {
      this.#used &= ~(1n << BigInt(taken.index));
    }
    this.#state = before.state;
    this.#latest = before.latest;
  }

  /** From a place that was reached with less of what is unknown, at least as much is possible. */
  #isNew(): boolean {
    const done: number[] = [];
    const last = this.#lastDone();
    for (let index = this.#first; index <= last; index += 1) {
      if (this.#done[index]) done.push(index);
    }
    const { count, over } = this.#over();
    const name = `${this.#first} ${done} ${count} ${this.#state}`;
    const sets = this.#seen.get(name) ?? [];
    const used = this.#used & ~over;
    if (sets.some((set) => (set & used) === set)) return false;
    this.#seen.set(name, [...sets, used]);
    return true;
  }

  /** Those of what is unknown that can have no effect any more, and how many ends that are. */
  #over(): { count: number; over: bigint } {
    let count = 0;
    while ((this.#ends[count]?.until ?? Number.POSITIVE_INFINITY) < this.#latest) count += 1;
    return { count, over: this.#ends[count - 1]?.over ?? 0n };
  }

  /** Something unknown that may still have an effect would be over, if this were done next. */
  #endsUnknown(index: number): boolean {
    const called = this.#known[index]?.called ?? 0;
    return this.#ends.some(({ until }) => until >= this.#latest && until < called);
  }

  /** Nothing is done that is called after the first open one has returned. */
  #lastDone(): number {
    const { returned = 0 } = this.#known[this.#first] ?? {};
    let last = this.#first;
    while ((this.#known[last + 1]?.called ?? Number.POSITIVE_INFINITY) <= returned) last += 1;
    return last;
  }

  #choices(): Choice[] {
    const { open, until } = this.#open();
    const known: Choice[] = [];
    for (const index of open) {
      for (const step of this.#known[index]?.steps ?? []) {
        if (!fits(step, this.#state)) continue;
        const choice = { known: true, index, step };
        if (step.becomes === undefined && !this.#endsUnknown(index)) return [choice];
        known.push(choice);
      }
    }
    const unknown: Choice[] = [];
    const tried = new Set<string>();
    for (const index of [...(this.#wanting.get(this.#state) ?? []), ...this.#free]) {
      const name = this.#names[index] ?? "";
      if (!this.#isUsable(index, until) || tried.has(name)) continue;
      tried.add(name);
      for (const step of this.#unknown[index]?.steps ?? []) {
        if (!fits(step, this.#state) || step.becomes === undefined) continue;
        if (this.#enables(index, step.becomes, open, until)) {
          unknown.push({ known: false, index, step });
        }
      }
    }
    return [...known, ...unknown];
  }

  /** Known ones that are not after another that is open, and when the first of them returns. */
  #open(): { open: number[]; until: number } {
    const open: number[] = [];
    let until = Number.POSITIVE_INFINITY;
    for (let index = this.#first; index < this.#known.length; index += 1) {
      const { called = 0, returned = 0 } = this.#known[index] ?? {};
      if (called > until) break;
      if (this.#done[index]) continue;
      open.push(index);
      until = Math.min(until, returned);
    }
    return { open, until };
  }

  #isUsable(index: number, until: number): boolean {
    const isUsed = ((this.#used >> BigInt(index)) & 1n) === 1n;
    if (isUsed) return false;
    const { called = 0, until: end } = this.#unknown[index] ?? {};
    return called <= until && (end === undefined || end >= this.#latest);
  }

  #enables(own: number, becomes: string, open: readonly number[], until: number): boolean {
    // What would be over afterwards is tried whatever it does now.
    const { until: end = Number.POSITIVE_INFINITY } = this.#unknown[own] ?? {};
    if (open.some((index) => (this.#known[index]?.called ?? 0) > end)) return true;
    if (this.#unknown.some(({ called }, index) => called > end && this.#isUsable(index, until))) {
      return true;
    }
    const newly = (step: Step) => !fits(step, this.#state) && fits(step, becomes);
    if (open.some((index) => this.#known[index]?.steps.some(newly))) return true;
    const others = [...(this.#wanting.get(becomes) ?? []), ...this.#free];
    return others.some((index) => {
      if (index === own || !this.#unknown[index]?.steps.some(newly)) return false;
      return this.#isUsable(index, until);
    });
  }
}

/** Where no operation asks whether it is this value or is not, it may as well be any other. */
function withOneUnaskedValue(operations: readonly RegisterOperation[]): RegisterOperation[] {
  const asked = new Set<string | undefined>([undefined, ABSENT]);
  for (const { steps } of operations) {
    for (const { is, isNot } of steps) asked.add(is).add(isNot);
  }
  const unasked = (step: Step) => (asked.has(step.becomes) ? step : { ...step, becomes: UNASKED });
  return operations.map((operation) => ({ ...operation, steps: operation.steps.map(unasked) }));
}

function fits({ is, isNot }: Step, state: string): boolean {
  return (is === undefined || is === state) && (isNot === undefined || isNot !== state);
}
