// The Wing & Gong checker: is there an order of the operations on one register, each between its
// call and its answer, in which every answer is right? It believes no revision: it has to search.
//
// The search is Lowe's: depth first, and no configuration (what was taken, and what the register
// then holds) is looked at twice. What is unknown may be taken at any time after its call, or
// never. Four things keep it short, and lose no order: a read that fits is taken at once; what is
// unknown is taken only where it makes something possible that was not; of those that do the same,
// the first; values that nobody asks for are one. Beyond the budget it gives up: a failure.

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
  readonly before: string;
}

class Search {
  readonly #known: readonly RegisterOperation[];
  readonly #unknown: readonly RegisterOperation[];
  /** Unknown ones of one name do the same. */
  readonly #names: readonly string[];
  readonly #done: boolean[];
  readonly #used: boolean[];
  readonly #seen = new Set<string>();
  #left: number;
  /** Those before it are done. */
  #first = 0;
  #state = ABSENT;
  #budget: number;

  constructor(operations: readonly RegisterOperation[], budget: number) {
    const byCall = withOneUnaskedValue(operations).sort((one, other) => one.called - other.called);
    this.#known = byCall.filter(({ returned }) => returned !== undefined);
    this.#unknown = byCall.filter(({ returned }) => returned === undefined);
    this.#names = this.#unknown.map(({ steps }) => JSON.stringify(steps));
    this.#done = this.#known.map(() => false);
    this.#used = this.#unknown.map(() => false);
    this.#left = this.#known.length;
    this.#budget = budget;
  }

  run(): Verdict {
    const stack: Frame[] = [this.#frame(undefined, this.#state)];
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
      const before = this.#state;
      this.#take(choice);
      const name = this.#name();
      if (this.#seen.has(name)) {
        this.#back({ choices: [], next: 0, taken: choice, before });
        continue;
      }
      this.#seen.add(name);
      this.#budget -= 1;
      if (this.#budget < 0) return "undecided";
      stack.push(this.#frame(choice, before));
    }
    return "linearizable";
  }

  #frame(taken: Choice | undefined, before: string): Frame {
    return { choices: this.#choices(), next: 0, taken, before };
  }

  #take({ known, index, step }: Choice): void {
    (known ? this.#done : this.#used)[index] = true;
    if (known) this.#left -= 1;
    while (this.#done[this.#first]) this.#first += 1;
    this.#state = step.becomes ?? this.#state;
  }

  #back({ taken, before }: Frame): void {
    if (taken === undefined) return;
    (taken.known ? this.#done : this.#used)[taken.index] = false;
    if (taken.known) {
      this.#left += 1;
      this.#first = Math.min(this.#first, taken.index);
    }
    this.#state = before;
  }

  #name(): string {
    const done: number[] = [];
    for (let index = this.#first; index < this.#done.length; index += 1) {
      if (this.#done[index]) done.push(index);
    }
    const used = this.#used.flatMap((is, index) => (is ? [index] : []));
    return `${this.#first} ${done} ${used} ${this.#state}`;
  }

  #choices(): Choice[] {
    const { open, until } = this.#open();
    const known: Choice[] = [];
    for (const index of open) {
      for (const step of this.#known[index]?.steps ?? []) {
        if (!fits(step, this.#state)) continue;
        const choice = { known: true, index, step };
        if (step.becomes === undefined) return [choice];
        known.push(choice);
      }
    }
    const unknown: Choice[] = [];
    const tried = new Set<string>();
    for (const [index, { called, steps }] of this.#unknown.entries()) {
      if (called > until) break;
      if (this.#used[index]) continue;
      const name = this.#names[index] ?? "";
      if (tried.has(name)) continue;
      tried.add(name);
      for (const step of steps) {
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

  #enables(own: number, becomes: string, open: readonly number[], until: number): boolean {
    const newly = (step: Step) => !fits(step, this.#state) && fits(step, becomes);
    if (open.some((index) => this.#known[index]?.steps.some(newly))) return true;
    return this.#unknown.some(({ called, steps }, index) => {
      return index !== own && called <= until && !this.#used[index] && steps.some(newly);
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
