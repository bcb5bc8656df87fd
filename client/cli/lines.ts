// Splits a stream of bytes into lines. Memory is bounded by the longest line that is taken; one
// that is longer is skipped to its end, and told.

export type Line =
  | { readonly kind: "line"; readonly number: number; readonly bytes: Uint8Array }
  | { readonly kind: "too long"; readonly number: number };

const NEWLINE = 0x0a;

/** Without the newlines; a last line without one counts too. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly maxBytes: number },
): AsyncGenerator<Line> {
  const line = new LineBuffer(options.maxBytes);
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      yield line.end(chunk.subarray(start, end));
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  if (!line.empty) yield line.end(new Uint8Array(0));
}

class LineBuffer {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #number = 1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get empty(): boolean {
    return this.#bytes === 0;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  end(part: Uint8Array): Line {
    this.add(part);
    const number = this.#number;
    const parts = this.#parts;
    const tooLong = this.#bytes > this.#maxBytes;
    this.#number += 1;
    this.#parts = [];
    this.#bytes = 0;
    if (tooLong) return { kind: "too long", number };
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    return { kind: "line", number, bytes };
  }
}
