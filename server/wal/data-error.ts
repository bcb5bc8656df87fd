// Why the files of a store cannot be used: for the person who starts the server.

export class DataError extends Error {
  override readonly name: string = "DataError";
}

/** A file that is not what was written. */
export class DamagedError extends DataError {
  override readonly name = "DamagedError";
  readonly file: string;

  constructor(file: string, what: string, options?: ErrorOptions) {
    super(`${file} is damaged: ${what}`, options);
    this.file = file;
  }
}

/**
 * A disk that failed in such a way that nobody knows what is on it: to try again could seem to
 * help, and would not.
 */
export class UncertainError extends DataError {
  override readonly name = "UncertainError";

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Makes an error of a sync, or of a rename, an UncertainError. */
export async function certain(step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (error) {
    throw new UncertainError(error);
  }
}
