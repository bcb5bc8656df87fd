// Which errors are of the data or its disk, for the exit code.

import { DamagedError, UncertainError } from "./wal/data-error.js";

/** Data that is damaged, or a disk that fails. */
export function isOfData(error: Error): boolean {
  if (error instanceof DamagedError || error instanceof UncertainError) return true;
  return (error as NodeJS.ErrnoException).code === "EIO";
}

/** Such as EACCES for the data directory. */
export function isOfSystem(error: Error): boolean {
  return "syscall" in error;
}
