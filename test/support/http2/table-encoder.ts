// An encoder of header fields that does as it is told: which form each field takes is the test's
// choice, so that all forms come up in random blocks. It keeps a dynamic table of its own, by the
// words of RFC 7541, sections 2.3 and 4.

import { indexed, type Keeping, literal, tableSize } from "./header-block.js";

export type Field = readonly [name: string, value: string];

export interface FieldChoice {
  readonly field: Field;
  readonly keeping: Keeping;
  readonly isHuffman: boolean;
  /** To use what the tables have, the name alone or the whole, if they have it. */
  readonly isIndexed: boolean;
}

export class TableEncoder {
  readonly #staticFields: readonly Field[];
  #newestFirst: Field[] = [];
  #maxBytes: number;

  constructor(staticFields: readonly Field[], maxBytes = 4096) {
    this.#staticFields = staticFields;
    this.#maxBytes = maxBytes;
  }

  resize(maxBytes: number): Buffer {
    this.#maxBytes = maxBytes;
    this.#evict();
    return tableSize(maxBytes);
  }

  write({ field, keeping, isHuffman, isIndexed }: FieldChoice): Buffer {
    const [name, value] = field;
    const all = [...this.#staticFields, ...this.#newestFirst];
    const whole = all.findIndex((each) => each[0] === name && each[1] === value) + 1;
    if (isIndexed && whole > 0) return indexed(whole);
    const named = isIndexed ? all.findIndex((each) => each[0] === name) + 1 : 0;
    if (keeping === "kept") {
      this.#newestFirst = [field, ...this.#newestFirst];
      this.#evict();
    }
    return literal({ name: named > 0 ? named : name, value, keeping, isHuffman });
  }

  #evict(): void {
    let bytes = 0;
    const beyond = this.#newestFirst.findIndex(([name, value]) => {
      bytes += name.length + value.length + 32;
      return bytes > this.#maxBytes;
    });
    if (beyond >= 0) this.#newestFirst = this.#newestFirst.slice(0, beyond);
  }
}
