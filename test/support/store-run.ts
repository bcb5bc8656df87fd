// A run of random steps on a store whose segments of rows are small, and on the model: whatever is
// refused, is full or will never be durable has to leave no trace.

import assert from "node:assert/strict";
import { KvdError } from "../../server/kv/errors.js";
import { defaultLimits } from "../../server/kv/limits.js";
import type { Entry, Event, LeaseChoice } from "../../server/kv/types.js";
import { viewedBytes } from "../../server/lib/viewed-bytes.js";
import { checkStore } from "../../server/store/check.js";
import { ImageExport } from "../../server/store/image-export.js";
import { ImageImport } from "../../server/store/image-import.js";
import { Rows } from "../../server/store/rows.js";
import { Store } from "../../server/store/store.js";
import type { Watch } from "../../server/store/watch.js";
import { ALL, del, get, op, prefix, put, range, TXN_OPTIONS, txn, watch } from "./commands.js";
import { GivenBytes } from "./given-bytes.js";
import { KeptImage } from "./kept-image.js";
import { Model, type ModelMark, type State } from "./model.js";
import { type SeededRandom, seededRandom } from "./seeded-random.js";
import { WaveringBackend } from "./wavering-backend.js";

const SEGMENT_BYTES = 4096;
const LIMITS = defaultLimits({
  storeMaxBytes: 48 * 1024,
  historyMaxBytes: 12 * 1024,
  watcherQueueMaxBytes: 8 * 1024,
});
const NOW = { wallMs: 1, monotonicMs: 0 };

/** How often it came to what it is there for. */
export interface Reached {
  moved: number;
  released: number;
  refused: number;
  forgotten: number;
  given: number;
  full: number;
}

interface ImageRun {
  readonly image: ImageExport;
  readonly items: KeptImage;
  readonly state: State;
}

export class StoreRun {
  readonly #random: SeededRandom;
  readonly #reached: Reached;
  readonly #backend = new WaveringBackend();
  readonly #rows = new CountedRows();
  readonly #store: Store;
  readonly #model: Model;
  readonly #given = new GivenBytes();
  /** What the model was when all was durable. */
  #durable: ModelMark;
  #nextId = 0n;
  #modelId = 0n;
  #watch: Watch;
  #eventsSeen = 0;
  #image: ImageRun | undefined;

  constructor(seed: number, reached: Reached) {
    this.#random = seededRandom(seed);
    this.#reached = reached;
    this.#store = this.#newStore(this.#rows, this.#backend);
    this.#model = new Model(() => ++this.#modelId);
    this.#durable = this.#model.mark();
    this.#watch = this.#openWatch();
  }

  step(): void {
    const { below, pick } = this.#random;
    this.#nextId += 100n;
    this.#modelId = this.#nextId;
    this.#backend.refuses = below(12) === 0;
    const steps = [
      [12, () => this.#put()],
      [5, () => this.#plainPut()],
      [3, () => this.#delete()],
      [2, () => this.#plainDelete()],
      [4, () => this.#txn()],
      [2, () => this.#lease()],
      [2, () => this.#compact()],
      [6, () => this.#store.maintain(NOW, pick([1, 10, 1000]))],
      [4, () => this.#keep()],
      [2, () => this.#forget()],
      [3, () => this.#read()],
      [3, () => this.#pull()],
      [2, () => this.#stepImage()],
    ] as const;
    let at = below(steps.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, run] of steps) {
      at -= weight;
      if (at >= 0) continue;
      run();
      break;
    }
    this.#backend.refuses = false;
    this.#model.compactRevision = this.#store.retention.compactor.compactRevision;
    checkStore(this.#store);
    assert.equal(this.#store.revision, this.#model.revision, "the head");
  }

  /** All is deleted and compacted: of memory, only where rows go on is left. */
  end(): void {
    this.#image?.image.stop();
    this.#keep();
    this.#read();
    this.#given.check();
    this.#reached.given += this.#given.size;
    this.#do(
      () => this.#store.delete(del(ALL), NOW),
      () => this.#model.delete(del(ALL)),
    );
    this.#keep();
    for (let more = 2; more > 0; more -= 1) {
      this.#do(
        () => this.#store.put(put("last"), NOW),
        () => this.#model.put(put("last")),
      );
      this.#keep();
    }
    this.#store.compact({ revision: this.#store.revision }, NOW);
    this.#keep();
    while (!this.#store.maintain(NOW, 100));
    checkStore(this.#store);
    this.#given.check();
    const { usedBytes } = this.#store.keys.rows;
    assert.ok(usedBytes <= 4 * SEGMENT_BYTES, `${usedBytes} bytes of rows are left of nothing`);
    this.#reached.moved += this.#rows.moved;
    this.#reached.released += this.#rows.released;
  }

  #newStore(rows: Rows, backend: WaveringBackend): Store {
    const randomLeaseId = () => ++this.#nextId;
    const options = { limits: LIMITS, storeId: "0".repeat(32), hashSeed: [1, 2] as const };
    return new Store({ ...options, randomLeaseId, backend, rows });
  }

  #key(): string {
    const { below, pick } = this.#random;
    return `${pick(["a", "b", "longer/key/"])}${below(below(3) === 0 ? 500 : 12)}`;
  }

  #value(): Uint8Array {
    const { below, pick } = this.#random;
    const large = () => SEGMENT_BYTES + below(3 * SEGMENT_BYTES);
    const length = pick([() => 0, () => below(40), () => below(600), () => below(600), large])();
    return Buffer.alloc(length, below(256));
  }

  #leaseChoice(): LeaseChoice {
    const { pick } = this.#random;
    const ids = [...this.#model.leases.keys()];
    const named: LeaseChoice = { kind: "lease", id: pick([...ids, 1n]), maxKeys: 1000 };
    const ttl: LeaseChoice = { kind: "ttl", ttlMs: 1000 };
    return pick([{ kind: "none" }, { kind: "none" }, { kind: "keep" }, ttl, named]);
  }

  /** Does it to both. What the store refuses for want of room changes nothing. */
  #do<T, U>(store: () => T, model: () => U): T | undefined {
    let done: T;
    const before = this.#store.revision;
    try {
      done = store();
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      if (error.reason === "NO_SPACE") this.#reached.refused += 1;
      else if (error.reason === "STORE_FULL") this.#reached.full += 1;
      else assert.throws(model, { reason: error.reason });
      return undefined;
    }
    if (this.#backend.refuses) assert.equal(this.#store.revision, before);
    else model();
    return done;
  }

  #put(): void {
    const { below } = this.#random;
    const lease = this.#leaseChoice();
    const value = below(6) === 0 ? "keep" : this.#value();
    const command = { ...put(this.#key(), "", { lease, returnPrevious: true }), value } as const;
    this.#do(
      () => this.#store.put(command, NOW),
      () => this.#model.put(command),
    );
  }

  #plainPut(): void {
    const command = put(this.#key(), this.#value());
    const { key, value } = command;
    if (value === "keep") return;
    const bytes = Buffer.concat([key, value]);
    const source = viewedBytes(bytes);
    const place = { source, keyStart: 0, keyEnd: key.length, valueStart: key.length };
    const plain = { ...place, valueEnd: bytes.length };
    this.#do(
      () => this.#store.plain.put(plain, NOW) ?? this.#store.put(command, NOW),
      () => this.#model.put(command),
    );
    bytes.fill(0);
  }

  #delete(): void {
    const { pick } = this.#random;
    const selected = pick([this.#key(), this.#key(), prefix(pick(["a1", "b2", "longer/"]))]);
    const command = del(selected, { limit: pick([0, 3]), returnPrevious: true });
    this.#do(
      () => this.#store.delete(command, NOW),
      () => this.#model.delete(command),
    );
  }

  #plainDelete(): void {
    const key = Buffer.from(this.#key());
    this.#do(
      () => this.#store.plain.delete(key, 0, key.length, NOW) ?? this.#store.delete(del(key), NOW),
      () => this.#model.delete(del(key)),
    );
  }

  /** One in three fails at its end. */
  #txn(): void {
    const { below } = this.#random;
    const keys = new Set(Array.from({ length: 1 + below(8) }, () => this.#key()));
    const steps = [...keys].map((key) => {
      if (below(4) === 0) return op.delete(del(key, { returnPrevious: true }));
      return op.put(put(key, this.#value(), { lease: this.#leaseChoice() }));
    });
    const fails = op.put(put("never", "", { expectedModRevision: 1 }));
    const command = txn({ success: below(3) === 0 ? [...steps, fails] : steps });
    this.#do(
      () => this.#store.txn(command, TXN_OPTIONS, NOW),
      () => this.#model.txn(command),
    );
  }

  #lease(): void {
    const { below, pick } = this.#random;
    const { leases } = this.#store;
    const grant = { id: 0n, ttlMs: 1000 };
    const id = pick([...this.#model.leases.keys(), 1n]);
    if (below(2) === 0 || id === 1n) {
      const model = () => this.#backend.refuses || this.#model.grant(grant);
      this.#do(() => leases.grant(grant, NOW), model);
    } else {
      this.#do(
        () => leases.revoke({ id }, NOW),
        () => this.#model.revoke(id),
      );
    }
  }

  #compact(): void {
    const revision = this.#store.publishedRevision - this.#random.below(20);
    if (revision <= this.#store.retention.compactor.compactRevision) return;
    this.#do(
      () => this.#store.compact({ revision }, NOW),
      () => undefined,
    );
  }

  #keep(): void {
    this.#backend.keep();
    this.#durable = this.#model.mark();
  }

  #forget(): void {
    if (this.#model.revision > this.#durable.revision) this.#reached.forgotten += 1;
    this.#backend.forget();
    this.#model.rewind(this.#durable, new Map());
  }

  /** All entries at a revision that can be read, and one of them alone. */
  #read(): void {
    const { publishedRevision, retention } = this.#store;
    const oldest = Math.max(1, retention.compactor.compactRevision);
    const revision = publishedRevision - this.#random.below(publishedRevision - oldest + 1);
    const query = range(ALL, { revision });
    const read = this.#store.beginRange(query);
    while (!this.#store.runRange(read, 7));
    const { entries } = this.#store.endRange(read, query, NOW);
    sameEntries(entries, this.#model.states[revision] as State);
    for (const entry of entries) this.#given.addEntry(entry);
    const found = this.#store.get(get(this.#key(), revision));
    this.#given.addEntry(found.entry);
  }

  #openWatch(): Watch {
    this.#eventsSeen = this.#model.events.length;
    return this.#store.watch(watch(ALL, { previous: true }), () => 0);
  }

  /** Events come as the model has them; a watch whose history is gone is opened again. */
  #pull(): void {
    try {
      for (;;) {
        const message = this.#store.hub.pull(this.#watch);
        if (message === "wait") return;
        if (message === "again" || message.kind !== "events") continue;
        for (const event of message.events) this.#seen(event);
      }
    } catch (error) {
      if (!(error instanceof KvdError) || error.reason !== "REVISION_COMPACTED") throw error;
      this.#store.hub.remove(this.#watch);
      this.#keep();
      this.#watch = this.#openWatch();
    }
  }

  #seen(event: Event): void {
    const expected = this.#model.events[this.#eventsSeen];
    this.#eventsSeen += 1;
    assert.equal(event.revision, expected?.revision, "the revision of an event");
    const entry = event.type === "put" ? event.entry : undefined;
    assert.deepEqual(shown(entry), shown(expected?.entry), "an event");
    if (event.previous !== undefined) {
      assert.deepEqual(shown(event.previous), shown(expected?.previous), "what was before");
    }
    this.#given.addEntry(entry);
    this.#given.addEntry(event.previous);
  }

  /** An image that is exported over many steps, with the views that it gives. */
  #stepImage(): void {
    const run = this.#image;
    if (run === undefined) {
      this.#keep();
      const image = new ImageExport(this.#store, { history: "all", now: NOW });
      this.#image = { image, items: new KeptImage(), state: this.#model.state };
      return;
    }
    try {
      const given = run.items.views.length;
      if (run.image.next(20, run.items)) {
        for (const view of run.items.views.slice(given)) this.#given.add(view);
        return;
      }
      this.#import(run);
    } catch (error) {
      if (!(error instanceof KvdError) || error.reason !== "REVISION_COMPACTED") throw error;
    }
    run.image.stop();
    this.#image = undefined;
  }

  #import({ image, items, state }: ImageRun): void {
    const store = this.#newStore(new Rows(), new WaveringBackend());
    const filled = new ImageImport(store, image.header);
    items.giveTo(filled);
    filled.finish();
    checkStore(store);
    const query = range(ALL);
    const read = store.beginRange(query);
    while (!store.runRange(read, 100));
    sameEntries(store.endRange(read, query, NOW).entries, state);
  }
}

/** Rows that tell how often some were moved, and segments let go. */
class CountedRows extends Rows {
  moved = 0;
  released = 0;

  constructor() {
    super({ segmentBytes: SEGMENT_BYTES });
  }

  override move(row: number): number {
    this.moved += 1;
    return super.move(row);
  }

  override release(segment: number): void {
    this.released += 1;
    super.release(segment);
  }
}

function sameEntries(entries: readonly Entry[], state: State): void {
  const expected = [...state.values()].sort((left, right) => Buffer.compare(left.key, right.key));
  assert.deepEqual(entries.map(shown), expected.map(shown), "the entries of a revision");
}

function shown(entry: Entry | undefined) {
  if (entry === undefined) return undefined;
  const { key, value, ...others } = entry;
  return { ...others, key: Buffer.from(key), value: Buffer.from(value) };
}
