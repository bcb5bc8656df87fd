// A DueLine of things that cannot be links themselves.

import type { Clock } from "./clock.js";
import { DueLine, DueLink } from "./due-line.js";

class Place<T> extends DueLink<Place<T>> {
  readonly item: T;

  constructor(item: T) {
    super();
    this.item = item;
  }
}

export class DueList<T extends object> {
  readonly #line: DueLine<Place<T>>;
  readonly #places = new Map<T, Place<T>>();

  constructor(options: {
    readonly maxMs: number;
    readonly clock: Clock;
    /** The item is not in the list any more. */
    readonly onDue: (item: T) => void;
  }) {
    const { maxMs, clock, onDue } = options;
    const dueAt = ({ item }: Place<T>) => {
      this.#places.delete(item);
      onDue(item);
    };
    this.#line = new DueLine({ maxMs, clock, onDue: dueAt });
  }

  get size(): number {
    return this.#places.size;
  }

  has(item: T): boolean {
    return this.#places.has(item);
  }

  /** Its time begins now. */
  begin(item: T): void {
    const place = this.#places.get(item) ?? new Place(item);
    this.#places.set(item, place);
    this.#line.begin(place);
  }

  delete(item: T): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#line.delete(place);
    this.#places.delete(item);
  }

  /** Nothing is due any more. */
  close(): void {
    this.#line.close();
  }
}
