// Files as an argument: what the log, snapshots and the data directory ask of a file system, and no
// more. Tests pass one that forgets what was not synced.
//
// Errors are those of the system: an Error with `code` (ENOSPC, EIO, …) and `syscall`.

export interface Files {
  /** Makes a folder and those above it, for its owner alone; nothing if it is there. */
  makeFolder(path: string): Promise<void>;

  /** The names in a folder, in no order. */
  names(folder: string): Promise<string[]>;

  /** "read" and "write" want it to be there; "new" makes it, empty, whatever was there. */
  open(path: string, mode: "read" | "write" | "new"): Promise<OpenFile>;

  /** Replaces what is at `to`. Survives a power cut after syncFolder(). */
  rename(from: string, to: string): Promise<void>;

  /** Nothing if it is not there. Survives a power cut after syncFolder(). */
  remove(path: string): Promise<void>;

  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;

  /** One process at a time in a folder. @throws DataError when another has it. */
  lock(folder: string): Promise<FolderLock>;
}

export interface OpenFile {
  size(): Promise<number>;

  /** Reads into all of `into`, or up to the end: how many bytes. */
  read(into: Uint8Array, at: number): Promise<number>;

  /** Writes some of it: how many bytes. Fewer than all is no error; what follows tells. */
  write(bytes: Uint8Array, at: number): Promise<number>;

  /** Cuts it, or adds zeros. */
  truncate(length: number): Promise<void>;

  /** Makes the bytes and the length durable. Never to be tried again after an error. */
  sync(): Promise<void>;

  /** Whether it is what stands at this path. */
  isAt(path: string): Promise<boolean>;

  close(): Promise<void>;
}

export interface FolderLock {
  /** Twice does no harm. */
  release(): Promise<void>;
}

/** Writes all of it: a short write is followed by the rest, or by the error that tells why. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, at: number): Promise<void> {
  let done = await file.write(bytes, at);
  while (done < bytes.length) done += await file.write(bytes.subarray(done), at + done);
}

/** Reads `length` bytes, or as many as there are. */
export async function readUpTo(file: OpenFile, length: number, at: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = await file.read(bytes.subarray(done), at + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
