// Why the files of a store cannot be used: for the person who starts the server.

export class DataError extends Error {
  override readonly name = "DataError";
}

/** A file that is not what was written. It is refused whole. */
export class DamagedError extends DataError {
  constructor(file: string, what: string, options?: ErrorOptions) {
    super(`${file} is damaged: ${what}`, options);
  }
}
