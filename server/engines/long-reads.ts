// Reads of much: in slices, with a turn for others after each.

import type { SnapshotStream, VersionWalk } from "../kv/engine.js";
import type { RangeQuery, RangeResult, Revision } from "../kv/types.js";
import type { Clock } from "../lib/clock.js";
import { EntryHash } from "../lib/entry-hash.js";
import type { Backend } from "../store/backend.js";
import { ImageExport } from "../store/image-export.js";
import type { Store } from "../store/store.js";
import { StoredVersions } from "../store/version-walk.js";
import { encodeSnapshot } from "../wal/snapshot-writer.js";
import type { Answers } from "./answers.js";
import { imageSource } from "./image-source.js";
import type { Upkeep } from "./upkeep.js";

/** Keys that a listing looks at before others have a turn. */
const SLICE_VISITS = 2000;

/** Rows of a walk at a time: who takes them does more with each than a listing. */
const WALK_VISITS = 500;

/** The hash reads pages of this weight. */
const HASH_PAGE_BYTES = 1024 * 1024;

export interface LongReadsOptions {
  readonly store: Store;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly upkeep: Upkeep;
  readonly answers: Answers;
}

export class LongReads {
  readonly #options: LongReadsOptions;

  constructor(options: LongReadsOptions) {
    this.#options = options;
  }

  range(query: RangeQuery): Promise<RangeResult> {
    const { answers } = this.#options;
    return answers.run(() => answers.read(() => this.#range(query)));
  }

  async #range(query: RangeQuery): Promise<RangeResult> {
    const { store, clock, upkeep, answers } = this.#options;
    const read = store.beginRange(query);
    try {
      while (!store.runRange(read, SLICE_VISITS)) await clock.yieldTurn();
    } catch (error) {
      store.abandonRange(read);
      throw error;
    }
    const result = store.endRange(read, query, answers.now());
    if (store.retention.compactor.held) upkeep.maintain();
    return result;
  }

  hash(query: { readonly revision: Revision }) {
    const { answers } = this.#options;
    return answers.run(() => answers.read(() => this.#hash(query)));
  }

  async #hash(query: { readonly revision: Revision }) {
    const { store, answers } = this.#options;
    const hash = new EntryHash();
    let page = await this.#range(hashPage(query.revision, undefined));
    const { revision } = page;
    for (;;) {
      for (const entry of page.entries) hash.add(entry);
      if (page.next === undefined) break;
      page = await this.#range(hashPage(revision, page.next));
    }
    await answers.compactionDurable();
    const { compactRevision } = store.retention.compactor;
    return { hash: hash.digest(), revision, compactRevision };
  }

  versions(query: { readonly revision: Revision }): Promise<VersionWalk> {
    const { answers } = this.#options;
    return answers.run(() => answers.read(() => this.#versions(query)));
  }

  async #versions(query: { readonly revision: Revision }): Promise<VersionWalk> {
    const { store, clock, upkeep, answers } = this.#options;
    const revision = store.retention.readable(query.revision, store.publishedRevision);
    const versions = new StoredVersions(store, revision);
    const close = () => {
      versions.stop();
      upkeep.maintain();
    };
    await answers.compactionDurable().catch((error: unknown) => {
      close();
      throw error;
    });
    const next = async () => {
      for (;;) {
        await clock.yieldTurn();
        const rows = versions.next(WALK_VISITS);
        if (rows?.length !== 0) return rows;
      }
    };
    return {
      revision,
      compactRevision: versions.revision,
      next: () => answers.run(() => answers.read(next)),
      close,
    };
  }

  async snapshot(): Promise<SnapshotStream> {
    const { store, clock, backend, upkeep, answers } = this.#options;
    answers.requireOpen();
    const image = new ImageExport(store, { history: "all", now: answers.now() });
    const chunks = encodeSnapshot(imageSource(image, clock));
    // Asked for now: what will never be durable is taken back, and others get its position.
    const durable = backend.durable(store.journal.position);
    durable.catch(() => {});
    return {
      revision: image.header.revision,
      next: () =>
        answers.run(async () => {
          await durable;
          const step = await chunks.next();
          return step.done ? undefined : step.value;
        }),
      close: () => {
        image.stop();
        upkeep.maintain();
      },
    };
  }
}

function hashPage(revision: Revision, resume: Uint8Array | undefined): RangeQuery {
  return {
    selector: { kind: "all" },
    revision,
    order: "ascending",
    limit: 0,
    keysOnly: false,
    count: "no",
    delimiter: new Uint8Array(0),
    resume,
    maxBytes: HASH_PAGE_BYTES,
  };
}
