// What has come for a watch and waits for its consumer, bounded in bytes: of each watch, and of all
// watches of a client together. It says when it is full; what happens then is not its matter.

/** Four HTTP/2 windows: slack for a consumer that is behind for a moment. */
export const QUEUE_MAX_BYTES = 256 * 1024;

/** Beyond that, each watch holds one message: of 64 KiB, or of one event that is larger. */
const ALL_QUEUES_MAX_BYTES = 64 * 1024 * 1024;

/** What an item takes besides its bytes on the wire, about. */
const ITEM_BYTES = 64;

/** Counts the bytes of all queues of a client. */
export class QueueBudget {
  bytes = 0;

  get spent(): boolean {
    return this.bytes >= ALL_QUEUES_MAX_BYTES;
  }
}

export class WatchQueue<Item> {
  readonly #budget: QueueBudget;
  #items: { readonly item: Item; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(budget: QueueBudget) {
    this.#budget = budget;
  }

  get empty(): boolean {
    return this.#items.length === 0;
  }

  /** Nothing more should come. */
  get full(): boolean {
    return this.#bytes >= QUEUE_MAX_BYTES || (this.#budget.spent && !this.empty);
  }

  /** More may come again: rather late, because to begin again has its price. */
  get hasRoom(): boolean {
    return this.empty || (this.#bytes <= QUEUE_MAX_BYTES / 2 && !this.#budget.spent);
  }

  find(matches: (item: Item) => boolean): Item | undefined {
    return this.#items.find(({ item }) => matches(item))?.item;
  }

  push(item: Item, bytes: number): void {
    const weight = bytes + ITEM_BYTES;
    this.#items.push({ item, bytes: weight });
    this.#count(weight);
  }

  shift(): Item | undefined {
    const first = this.#items.shift();
    if (first === undefined) return undefined;
    this.#count(-first.bytes);
    return first.item;
  }

  clear(): void {
    this.#items = [];
    this.#count(-this.#bytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.bytes += bytes;
  }
}
