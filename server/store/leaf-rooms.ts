// Memory for the leaves of a KeyOrder: rooms of one size in larger arrays, given back and taken
// again. An array for each leaf would leave holes behind as leaves come and go, and memory that
// waits for a collection, which small arrays hardly bring about. An array is touched room by room,
// so the rooms that nobody has taken yet are not resident.

const CHUNK_ROOMS = 64;

/** An array of rooms. */
export interface RoomChunk {
  readonly words: Uint32Array;
  /** Where the free rooms begin, in words. */
  readonly free: number[];
}

/** A room is chunk.words from `from` on, with whatever in it. */
export interface LeafRoom {
  readonly chunk: RoomChunk;
  readonly from: number;
}

export class LeafRooms {
  readonly #roomWords: number;
  #chunks = 0;
  /** The chunks that have free rooms. */
  readonly #open: RoomChunk[] = [];

  constructor({ roomWords }: { readonly roomWords: number }) {
    this.#roomWords = roomWords;
  }

  /** Of all chunks. */
  get bytes(): number {
    return this.#chunks * CHUNK_ROOMS * this.#roomWords * Uint32Array.BYTES_PER_ELEMENT;
  }

  take(): LeafRoom {
    const chunk = this.#open.at(-1) ?? this.#addChunk();
    const from = chunk.free.pop() as number;
    if (chunk.free.length === 0) this.#open.pop();
    return { chunk, from };
  }

  /** Frees a room. A chunk of nothing but free rooms is let go, unless it is the only open one. */
  give({ chunk, from }: LeafRoom): void {
    chunk.free.push(from);
    if (chunk.free.length === 1) this.#open.push(chunk);
    if (chunk.free.length === CHUNK_ROOMS && this.#open.length > 1) {
      this.#open.splice(this.#open.indexOf(chunk), 1);
      this.#chunks -= 1;
    }
  }

  #addChunk(): RoomChunk {
    const free: number[] = [];
    for (let room = CHUNK_ROOMS - 1; room >= 0; room -= 1) free.push(room * this.#roomWords);
    const chunk = { words: new Uint32Array(CHUNK_ROOMS * this.#roomWords), free };
    this.#open.push(chunk);
    this.#chunks += 1;
    return chunk;
  }
}
