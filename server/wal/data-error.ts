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
