// Whose fragments are under way on a stream of watches. The fragments of a revision come one after
// the other, with nothing between them: Go's client joins what comes next to what it has, and
// would lose both.

export class FragmentTurn {
  #id: bigint | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Settles when this watch may give something; undefined when it may now. */
  comes(id: bigint): Promise<void> | undefined {
    if (this.#id === undefined || this.#id === id) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Runs what is no watch's event: now, or after the fragments, in the order of the calls. */
  after(run: () => void): void {
    if (this.#id === undefined) run();
    else this.#waiting.push(run);
  }

  /** The watch has given something, which goes on in its next message, or does not. */
  given(id: bigint, { fragment }: { readonly fragment: boolean }): void {
    if (fragment) this.#id = id;
    else this.end(id);
  }

  /** Of this watch nothing more comes. */
  end(id: bigint): void {
    if (this.#id !== id) return;
    this.#id = undefined;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** The stream is over. */
  close(): void {
    if (this.#id !== undefined) this.end(this.#id);
  }
}
