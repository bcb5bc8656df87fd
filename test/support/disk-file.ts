// The content of one file on a disk that forgets: what programs see, what the disk keeps, and the
// changes between the two, which a power cut may apply, drop, zero or trash, sector by sector.

import { GrowingBytes } from "./growing-bytes.js";
import type { SeededRandom } from "./seeded-random.js";

export const SECTOR_BYTES = 512;

/**
 * What becomes of what was not synced: each sector and name by the seed ("mixed"), nothing of it
 * is there ("dropped"), all of it is ("applied"), or names and lengths are, with other bytes.
 */
export const CUT_MODES = ["mixed", "dropped", "applied", "zeroed", "trashed"] as const;
export type CutMode = (typeof CUT_MODES)[number];

type Change =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "length"; readonly length: number };

export class DiskFile {
  readonly #seen: GrowingBytes;
  #kept: GrowingBytes;
  #unsynced: Change[] = [];
  #changes = 0;
  /** The sectors that take room: a hole takes none. */
  readonly #sectors = new Set<number>();

  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.#seen = new GrowingBytes(bytes);
    this.#kept = new GrowingBytes(bytes);
    this.#take(0, bytes.length);
  }

  get length(): number {
    return this.#seen.length;
  }

  get takenBytes(): number {
    return this.#sectors.size * SECTOR_BYTES;
  }

  /** How many changes there have ever been. */
  get changes(): number {
    return this.#changes;
  }

  /** What programs see. */
  bytes(): Buffer {
    return Buffer.from(this.#seen.view());
  }

  read(into: Uint8Array, at: number): number {
    const bytes = this.#seen.view(at, at + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(bytes: Uint8Array, at: number): void {
    this.#change({ kind: "write", at, bytes: Buffer.from(bytes) });
    this.#take(at, bytes.length);
    this.#seen.write(bytes, at);
  }

  truncate(length: number): void {
    this.#change({ kind: "length", length });
    for (const sector of this.#sectors) {
      if (sector * SECTOR_BYTES >= length) this.#sectors.delete(sector);
    }
    this.#seen.resize(length);
  }

  /** Makes the changes durable that were there when there had been so many. */
  sync(changes: number): void {
    const later = Math.min(this.#changes - changes, this.#unsynced.length);
    const synced = this.#unsynced.splice(0, this.#unsynced.length - later);
    for (const change of synced) apply(this.#kept, change);
  }

  /** The disk took what it took, and the system forgets the rest: no later sync helps. */
  failToSync(random: SeededRandom): void {
    this.#kept = new GrowingBytes(this.#afterCut("mixed", random));
    this.#unsynced = [];
  }

  /** How many bytes of the disk a write there would take. */
  roomFor(length: number, at: number): number {
    let sectors = 0;
    for (const sector of sectorsOf(at, length)) if (!this.#sectors.has(sector)) sectors += 1;
    return sectors * SECTOR_BYTES;
  }

  /** The same file, with the same changes to lose. */
  copy(): DiskFile {
    const copy = new DiskFile(this.#seen.view());
    copy.#kept = new GrowingBytes(this.#kept.view());
    copy.#unsynced = [...this.#unsynced];
    copy.#changes = this.#changes;
    copy.#sectors.clear();
    for (const sector of this.#sectors) copy.#sectors.add(sector);
    return copy;
  }

  cut(mode: CutMode, random: SeededRandom): DiskFile {
    return new DiskFile(this.#afterCut(mode, random));
  }

  #afterCut(mode: CutMode, random: SeededRandom): Buffer {
    if (mode === "dropped" || this.#unsynced.length === 0) return Buffer.from(this.#kept.view());
    const bytes = this.#piecesAfter(mode, random);
    bytes.resize(this.#lengthAfter(mode, random));
    return bytes.view();
  }

  #piecesAfter(mode: CutMode, random: SeededRandom): GrowingBytes {
    const bytes = new GrowingBytes(this.#kept.view());
    for (const change of this.#unsynced) {
      if (change.kind === "write") writePieces(bytes, change, this.#kept.length, mode, random);
      else if (mode !== "mixed" || random.below(2) === 0) apply(bytes, change);
    }
    return bytes;
  }

  /** The length after some of the changes, in order: file systems keep it in a journal. */
  #lengthAfter(mode: CutMode, random: SeededRandom): number {
    const count = this.#unsynced.length;
    const changes = this.#unsynced.slice(0, mode === "mixed" ? random.below(count + 1) : count);
    let { length } = this.#kept;
    for (const change of changes) {
      if (change.kind === "length") length = change.length;
      else length = Math.max(length, change.at + change.bytes.length);
    }
    return length;
  }

  #change(change: Change): void {
    this.#changes += 1;
    this.#unsynced.push(change);
  }

  #take(at: number, length: number): void {
    for (const sector of sectorsOf(at, length)) this.#sectors.add(sector);
  }
}

function* sectorsOf(at: number, length: number): Generator<number> {
  const first = Math.floor(at / SECTOR_BYTES);
  for (let sector = first; sector * SECTOR_BYTES < at + length; sector += 1) yield sector;
}

function apply(bytes: GrowingBytes, change: Change): void {
  if (change.kind === "length") bytes.resize(change.length);
  else bytes.write(change.bytes, change.at);
}

/** What the disk has is replaced sector by sector, whole; what is new can be anything. */
function writePieces(
  into: GrowingBytes,
  { at, bytes }: Extract<Change, { kind: "write" }>,
  keptLength: number,
  mode: CutMode,
  random: SeededRandom,
): void {
  for (const sector of sectorsOf(at, bytes.length)) {
    const from = Math.max(at, sector * SECTOR_BYTES);
    const end = Math.min(at + bytes.length, (sector + 1) * SECTOR_BYTES);
    const fate = mode === "mixed" ? random.pick(CUT_MODES) : mode;
    if (fate === "dropped") continue;
    const newFrom = Math.min(end, Math.max(from, keptLength));
    into.write(bytes.subarray(from - at, newFrom - at), from);
    into.write(pieceOf(bytes.subarray(newFrom - at, end - at), fate, random), newFrom);
  }
}

function pieceOf(piece: Buffer, fate: CutMode, random: SeededRandom): Uint8Array {
  if (fate === "zeroed") return Buffer.alloc(piece.length);
  if (fate === "trashed") return piece.map(() => random.below(256));
  return piece;
}
