// Cuts what a socket gives into frames: RFC 9113, section 4.1.

import { DEFAULT, FRAME_HEAD_BYTES } from "./protocol.js";

export interface FrameHead {
  type: number;
  flags: number;
  streamId: number;
}

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  /** Bytes of a frame that is not whole. */
  #rest: Buffer = NOTHING;
  /** One for all frames. */
  readonly #head: FrameHead = { type: 0, flags: 0, streamId: 0 };

  /**
   * Calls for each frame that is whole, until one call says false: then nothing more is read. The
   * payload is a view. False when a frame is too large.
   */
  take(bytes: Buffer, onFrame: (head: FrameHead, payload: Buffer) => boolean): boolean {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const head = this.#head;
    let at = 0;
    while (all.length - at >= FRAME_HEAD_BYTES) {
      const length = all.readUIntBE(at, 3);
      if (length > DEFAULT.frameMaxBytes) return false;
      const from = at + FRAME_HEAD_BYTES;
      if (all.length - from < length) break;
      head.type = all[at + 3] as number;
      head.flags = all[at + 4] as number;
      head.streamId = all.readUInt32BE(at + 5) & 0x7fffffff;
      at = from + length;
      if (!onFrame(head, all.subarray(from, at))) return true;
    }
    this.#rest = at === all.length ? NOTHING : all.subarray(at);
    return true;
  }
}
