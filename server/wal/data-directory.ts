// The files of one store, opened by one process at a time: whose it is, its snapshots, its log.
//
// A snapshot is named after the segment of the log that goes on where it ends. The two newest are
// kept, with the log since the older one: should the newest be damaged, nothing is lost.

import { basename } from "node:path";
import { type Files, type OpenFile, readUpTo } from "../lib/files.js";
import { type ImageHeader, NO_TARGET } from "../store/image.js";
import { CLEAN_FILE, type LogEnd, readCleanFile, writeCleanFile } from "./clean-file.js";
import { DamagedError, DataError } from "./data-error.js";
import { systemDisk } from "./disk.js";
import { Folder, type FolderUse } from "./folder.js";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./log-format.js";
import { readSnapshot, type SnapshotSink, type SnapshotSummary } from "./snapshot-reader.js";
import { readStoreFile, STORE_FILE, type StoreFacts, writeStoreFile } from "./store-file.js";

const SNAPSHOTS_KEPT = 2;

const SNAPSHOT = /^snapshot-(\d{16})\.kvd$/;
const SEGMENT = /^log-(\d{16})\.kvd$/;

/** Files of kvd; others are left alone. */
const OURS = /^((log|snapshot)-\d{16}\.kvd|torn-\d{16}-\d+\.kvd|store\.json|clean\.json)$/;

export interface OpenOptions {
  readonly files?: Files;
  readonly use?: FolderUse;
  /** "any": with store.json damaged or gone, whose data it is says the log. */
  readonly facts?: "whole" | "any";
}

export class DataDirectory {
  /** What was found to be damaged, with facts "any". */
  readonly damaged: DamagedError[] = [];
  readonly folder: Folder;
  #facts: StoreFacts | undefined;
  #clean: LogEnd | undefined;
  /** One after the other: they share the name of what is half written. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: Folder) {
    this.folder = folder;
  }

  /** @throws DataError when it is in use, or damaged. */
  static async open(
    path: string,
    { files = systemDisk, use = "use", facts = "whole" }: OpenOptions = {},
  ): Promise<DataDirectory> {
    const data = new DataDirectory(await Folder.open(path, files, use));
    try {
      if (facts === "whole") await data.#readFacts();
      else await data.#findFacts();
      if (use === "use") await data.folder.removeHalves((name) => OURS.test(name));
      return data;
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  get path(): string {
    return this.folder.path;
  }

  /** Undefined when it is new. */
  get facts(): StoreFacts | undefined {
    return this.#facts;
  }

  /** How a clean stop left the log; undefined after any other end. */
  get clean(): LogEnd | undefined {
    return this.#clean;
  }

  /** No store is in it. */
  async isEmpty(): Promise<boolean> {
    return !(await this.folder.names()).some((name) => OURS.test(name));
  }

  /** The numbers of its snapshots, oldest first. */
  snapshots(): Promise<number[]> {
    return this.#numbers(SNAPSHOT);
  }

  /** The numbers of the segments of its log, oldest first. */
  segments(): Promise<number[]> {
    return this.#numbers(SEGMENT);
  }

  /** Reads a snapshot. @throws DataError. */
  async readSnapshot(number: number, sink: SnapshotSink): Promise<SnapshotSummary> {
    const name = snapshotName(number);
    const path = this.folder.pathOf(name);
    const summary = await readSnapshot(path, this.folder.read(name), sink).catch((error) => {
      // What is no snapshot at all was one, here.
      if (!(error instanceof DataError) || error instanceof DamagedError) throw error;
      throw new DamagedError(path, `at offset 0: ${error.message}`, { cause: error });
    });
    const { storeId, log } = summary.header;
    if (storeId !== this.#facts?.storeId) {
      throw new DamagedError(path, `it is of store ${storeId}, not of ${this.#facts?.storeId}`);
    }
    if (log.segment !== number) {
      throw new DamagedError(
        path,
        `it goes before segment ${log.segment}, its name before another`,
      );
    }
    return summary;
  }

  /**
   * Saves the snapshot that goes before a segment; durable when it is done. Then old files go: all
   * but `keep` snapshots, and the log before them.
   */
  async saveSnapshot(
    number: number,
    chunks: AsyncIterable<Uint8Array>,
    { keep = SNAPSHOTS_KEPT }: { readonly keep?: number } = {},
  ): Promise<void> {
    await this.folder.replace(snapshotName(number), chunks);
    const snapshots = await this.snapshots();
    const kept = snapshots.slice(-keep);
    await this.folder.remove(snapshots.slice(0, -keep).map(snapshotName));
    if (kept.length < keep) return;
    const old = (await this.segments()).filter((segment) => segment < (kept[0] as number));
    await this.folder.remove(old.map(segmentName));
  }

  /** Gives a damaged file a name under which nobody looks for it. */
  async setAside(path: string): Promise<string> {
    const aside = `damaged-${basename(path)}`;
    await this.folder.rename(basename(path), aside);
    return aside;
  }

  /** Makes a segment; durable when it is done. */
  createSegment(header: SegmentHeader): Promise<OpenFile> {
    return this.folder.replaceOpen(segmentName(header.number), [encodeSegmentHeader(header)]);
  }

  openSegment(number: number): Promise<OpenFile> {
    return this.folder.open(segmentName(number), "write");
  }

  /** Changes facts; durable when it is done. */
  writeFacts(facts: Partial<StoreFacts>): Promise<void> {
    const written = this.#writing.then(async () => {
      const known = this.#facts ?? { storeId: "", mark: 0, bootId: "", segment: 0 };
      const next = { ...known, ...facts };
      await writeStoreFile(this.folder, next);
      this.#facts = next;
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Says that the log ends here, by a clean stop. */
  async writeClean(end: LogEnd): Promise<void> {
    await writeCleanFile(this.folder, end);
    this.#clean = end;
  }

  /** From here on the log may end anywhere. */
  async removeClean(): Promise<void> {
    await this.folder.remove([CLEAN_FILE]);
    this.#clean = undefined;
  }

  close(): Promise<void> {
    return this.folder.close();
  }

  async #readFacts(): Promise<void> {
    const names = await this.folder.names();
    if (names.includes(STORE_FILE)) {
      this.#facts = await readStoreFile(this.folder);
      if (names.includes(CLEAN_FILE)) this.#clean = await readCleanFile(this.folder);
      return;
    }
    const [segment, ...others] = names.filter((name) => SEGMENT.test(name) || SNAPSHOT.test(name));
    if (segment === undefined) return;
    // The first start makes a segment, then store.json: a crash between them leaves nothing else.
    const first = others.length === 0 && segment === segmentName(1);
    if (first && (await this.folder.bytesOf(segment)) === SEGMENT_HEADER_BYTES) return;
    const path = this.folder.pathOf(STORE_FILE);
    throw new DamagedError(path, `it is missing, and there is ${segment}`);
  }

  /** For a repair: what is damaged is remembered, and done without. */
  async #findFacts(): Promise<void> {
    try {
      await this.#readFacts();
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      this.damaged.push(error);
    }
    if (this.#facts !== undefined) return;
    for (const number of (await this.snapshots()).reverse()) {
      const name = snapshotName(number);
      const begin = ({ storeId }: ImageHeader) => {
        this.#facts = { storeId, mark: 0, bootId: "", segment: 0 };
        return NO_TARGET;
      };
      const sink = { begin, end: () => {}, pause: async () => {} };
      await readSnapshot(name, this.folder.read(name), sink).catch((error) => {
        if (!(error instanceof DataError)) throw error;
        this.#facts = undefined;
      });
      if (this.#facts !== undefined) return;
    }
    for (const segment of await this.segments()) {
      const head = await this.folder.using(segmentName(segment), (file) =>
        readUpTo(file, SEGMENT_HEADER_BYTES, 0),
      );
      try {
        const { storeId } = decodeSegmentHeader(head);
        this.#facts = { storeId, mark: 0, bootId: "", segment: 0 };
        return;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }

  async #numbers(pattern: RegExp): Promise<number[]> {
    const names = await this.folder.names();
    const numbers = names.map((name) => Number(pattern.exec(name)?.[1] ?? 0));
    return numbers.filter((number) => number > 0).sort((one, other) => one - other);
  }
}

export function snapshotName(number: number): string {
  return `snapshot-${digits(number)}.kvd`;
}

export function segmentName(number: number): string {
  return `log-${digits(number)}.kvd`;
}

/** Keeps what a segment had from an offset on, before it is cut there. */
export function tornName(number: number, offset: number): string {
  return `torn-${digits(number)}-${offset}.kvd`;
}

function digits(number: number): string {
  return String(number).padStart(16, "0");
}
