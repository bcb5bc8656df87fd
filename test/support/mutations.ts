// Ways in which files of a data directory can be damaged, by a seed.

import type { CrashingFiles } from "./crashing-files.js";
import { SECTOR_BYTES } from "./disk-file.js";
import type { SeededRandom } from "./seeded-random.js";
import { recordsOf } from "./segment-records.js";

export interface Mutation {
  /** What is done, for messages. */
  readonly what: string;
  /** The files that are changed. */
  readonly paths: readonly string[];
  /** It can touch one record at most, and leaves its place. */
  readonly isSmall?: boolean;
  apply(disk: CrashingFiles): void;
}

const isSegment = (path: string) => /log-\d{16}\.kvd$/.test(path);

function rewritten(path: string, what: string, change: (bytes: Buffer) => Buffer): Mutation {
  const apply = (disk: CrashingFiles) => disk.setBytes(path, change(disk.bytesAt(path)));
  return { what: `${path}: ${what}`, paths: [path], apply };
}

/** Every bit of every file. */
export function* flippedBits(disk: CrashingFiles): Generator<Mutation> {
  for (const path of disk.paths()) {
    const { length } = disk.bytesAt(path);
    for (let place = 0; place < length * 8; place += 1) {
      const at = Math.floor(place / 8);
      const flipped = rewritten(path, `bit ${place % 8} of byte ${at} is flipped`, (bytes) => {
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (place % 8)), at);
        return bytes;
      });
      yield { ...flipped, isSmall: true };
    }
  }
}

/** A sector's length of zeros at every aligned place of every file. */
export function* zeroedSectors(disk: CrashingFiles): Generator<Mutation> {
  for (const path of disk.paths()) {
    const { length } = disk.bytesAt(path);
    for (let at = 0; at < length; at += 8) {
      const end = Math.min(length, at + SECTOR_BYTES);
      yield rewritten(path, `bytes ${at} to ${end} are zeros`, (bytes) => bytes.fill(0, at, end));
    }
  }
}

/** Every file that is not the end of the log, cut at every place; and with bytes behind its end. */
export function* otherLengths(disk: CrashingFiles, random: SeededRandom): Generator<Mutation> {
  for (const path of disk.paths()) {
    const { length } = disk.bytesAt(path);
    for (let cut = 0; cut < length; cut += 1) {
      yield rewritten(path, `it is cut at ${cut}`, (bytes) => bytes.subarray(0, cut));
    }
    for (const more of [1, 8, 64, 600]) {
      const added = Buffer.from(Array.from({ length: more }, () => random.below(256)));
      yield rewritten(path, `${more} bytes come behind it`, (bytes) =>
        Buffer.concat([bytes, added]),
      );
    }
  }
}

/** Records of a segment: one for another, one twice, one left out, and those of other segments. */
export function* movedRecords(disk: CrashingFiles): Generator<Mutation> {
  const segments = disk.paths().filter(isSegment);
  const all = segments.flatMap((path) => {
    const bytes = disk.bytesAt(path);
    return recordsOf(bytes).map(({ start, end }) => ({ path, bytes: bytes.subarray(start, end) }));
  });
  for (const path of segments) {
    const bytes = disk.bytesAt(path);
    for (const { start, end } of recordsOf(bytes)) {
      const [before, own, after] = [
        bytes.subarray(0, start),
        bytes.subarray(start, end),
        bytes.subarray(end),
      ];
      const becomes = (what: string, ...parts: Buffer[]) =>
        rewritten(path, `the record at ${start} ${what}`, () => Buffer.concat(parts));
      yield becomes("stands there twice", before, own, own, after);
      yield becomes("is left out", before, after);
      for (const other of all) {
        if (other.bytes.equals(own)) continue;
        yield becomes(`is one of ${other.path}`, before, other.bytes, after);
      }
    }
  }
}

/** Files that are missing, that stand for each other, and those of another store. */
export function* movedFiles(disk: CrashingFiles, foreign: CrashingFiles): Generator<Mutation> {
  const paths = disk.paths();
  for (const path of paths) {
    yield { what: `${path} is missing`, paths: [path], apply: (copy) => copy.forget(path) };
    if (foreign.paths().includes(path)) {
      yield rewritten(path, "it is of another store", () => foreign.bytesAt(path));
    }
    for (const other of paths) {
      if (other === path) continue;
      yield rewritten(path, `it is ${other}`, () => disk.bytesAt(other));
      if (other < path) continue;
      const apply = (copy: CrashingFiles) => {
        copy.forget(path);
        copy.forget(other);
      };
      yield { what: `${path} and ${other} are missing`, paths: [path, other], apply };
    }
  }
}
