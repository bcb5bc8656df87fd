// What ends a connection: its peer has broken the protocol, and is told how.

export class ConnectionError extends Error {
  /** Of protocol.ts's ERROR. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** @throws ConnectionError */
export function mustBe(isSo: boolean, code: number, text: string): void {
  if (!isSo) throw new ConnectionError(code, text);
}
