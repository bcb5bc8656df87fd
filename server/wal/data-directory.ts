// The files of one store: its snapshots, and store.json. Opened by one process at a time.
//
// Revisions are given out below a mark that is on disk before they are. A stop that saves
// everything leaves the mark at the last revision; any other stop leaves it higher, and then what
// is between the newest snapshot and the mark may have been seen by somebody and is lost.

import type { Revision } from "../kv/types.js";
import { DataError } from "./data-error.js";
import { Folder } from "./folder.js";
import { LOCK_FILE } from "./folder-lock.js";
import { readSnapshot, type SnapshotSink, type SnapshotSummary } from "./snapshot-reader.js";
import { readStoreFile, STORE_FILE, type StoreFacts, writeStoreFile } from "./store-file.js";

/** Of the newest, and the one before: for people, should the newest be damaged. */
const SNAPSHOTS_KEPT = 2;

const SNAPSHOT = /^snapshot-(\d{16})\.kvd$/;

export class DataDirectory {
  readonly #folder: Folder;
  #facts: StoreFacts | undefined;
  #bytes: number;

  private constructor(folder: Folder, facts: StoreFacts | undefined, bytes: number) {
    this.#folder = folder;
    this.#facts = facts;
    this.#bytes = bytes;
  }

  /** @throws DataError when it is in use, or damaged. */
  static async open(path: string): Promise<DataDirectory> {
    const folder = await Folder.open(path);
    try {
      const names = await folder.names();
      const isKnown = names.includes(STORE_FILE);
      if (!isKnown && names.some((name) => SNAPSHOT.test(name))) {
        const text = `${folder.pathOf(STORE_FILE)} is missing: without it nobody can tell which `;
        throw new DataError(`${text}revisions were given out; kvd restore takes a snapshot`);
      }
      const facts = isKnown ? await readStoreFile(folder) : undefined;
      return new DataDirectory(folder, facts, await folder.bytes());
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  get path(): string {
    return this.#folder.path;
  }

  /** Undefined when it is new. */
  get storeId(): string | undefined {
    return this.#facts?.storeId;
  }

  /** What its files take; counted after each snapshot. */
  get bytes(): number {
    return this.#bytes;
  }

  /** No higher revision has been given out. */
  get highestRevision(): Revision {
    return this.#facts?.highestRevision ?? 0;
  }

  /** Nothing of anybody's is in it. */
  async isEmpty(): Promise<boolean> {
    return (await this.#folder.names()).every((name) => name === LOCK_FILE);
  }

  /** What the newest snapshot takes; 0 when there is none. */
  async newestBytes(): Promise<number> {
    const newest = (await this.#snapshots()).at(-1);
    return newest === undefined ? 0 : this.#folder.bytesOf(newest);
  }

  /** Reads the newest snapshot; undefined when there is none. @throws DataError. */
  async load(sink: SnapshotSink): Promise<SnapshotSummary | undefined> {
    const newest = (await this.#snapshots()).at(-1);
    if (newest === undefined) return undefined;
    const path = this.#folder.pathOf(newest);
    const summary = await readSnapshot(path, this.#folder.read(newest), sink);
    const { storeId, revision } = summary.header;
    if (storeId !== this.storeId) {
      throw new DataError(`${path} is of store ${storeId}, not of ${this.storeId}`);
    }
    if (newest !== nameOf(revision)) {
      throw new DataError(`${path} holds revision ${revision}, which its name does not say`);
    }
    if (revision > this.highestRevision) {
      const text = `${path} holds revision ${revision}, above the ${this.highestRevision} of `;
      throw new DataError(`${text}${STORE_FILE}: one of them is of another time`);
    }
    return summary;
  }

  /** Revisions up to this one may be given out once this is done. */
  async mark(facts: StoreFacts): Promise<void> {
    await writeStoreFile(this.#folder, facts);
    this.#facts = facts;
  }

  /** Saves a snapshot of this revision; durable when it is done. */
  async save(revision: Revision, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#folder.replace(nameOf(revision), chunks);
    await this.#folder.remove((await this.#snapshots()).slice(0, -SNAPSHOTS_KEPT));
    this.#bytes = await this.#folder.bytes();
  }

  close(): Promise<void> {
    return this.#folder.close();
  }

  /** Oldest first. */
  async #snapshots(): Promise<string[]> {
    const names = await this.#folder.names();
    return names.filter((name) => SNAPSHOT.test(name)).sort();
  }
}

function nameOf(revision: Revision): string {
  return `snapshot-${String(revision).padStart(16, "0")}.kvd`;
}
