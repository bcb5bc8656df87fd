// Puts blocks of fields together: a frame of HEADERS, and of CONTINUATION what did not fit into it.
// Nothing else may come in between (RFC 9113, section 4.3).

import { mustBe } from "./connection-error.js";
import type { FrameHead } from "./frame-reader.js";
import { unpadded } from "./padding.js";
import { ERROR, FLAG, FRAME } from "./protocol.js";

/** Of a block as it is sent. */
const BLOCK_MAX_BYTES = 64 * 1024;
/** What a part counts beside its bytes: it is kept as it came, and takes memory if it is empty. */
const PART_BYTES = 128;

export interface Block {
  readonly streamId: number;
  /** Nothing comes on the stream after it. */
  readonly isLast: boolean;
  readonly bytes: Buffer;
}

interface Begun {
  readonly streamId: number;
  readonly isLast: boolean;
  readonly parts: Buffer[];
  /** Of the parts, as they count. */
  weight: number;
}

export class BlockReader {
  #begun: Begun | undefined;

  /** @throws ConnectionError when the frame may not come now. */
  expect(type: number): void {
    const isGood = (type === FRAME.continuation) === (this.#begun !== undefined);
    mustBe(isGood, ERROR.protocol, "a block of fields is all CONTINUATION after its HEADERS");
  }

  /** The block, if that was all. @throws ConnectionError */
  headers({ flags, streamId }: FrameHead, payload: Buffer): Block | undefined {
    mustBe(streamId % 2 === 1, ERROR.protocol, "HEADERS of no stream of a client's");
    let bytes = unpadded(flags, payload);
    if ((flags & FLAG.priority) !== 0) {
      mustBe(bytes.length >= PRIORITY_BYTES, ERROR.frameSize, "HEADERS");
      bytes = bytes.subarray(PRIORITY_BYTES);
    }
    const isLast = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return { streamId, isLast, bytes };
    this.#begun = { streamId, isLast, parts: [bytes], weight: bytes.length };
    return undefined;
  }

  /** The block, if that was its end. @throws ConnectionError */
  continuation({ flags, streamId }: FrameHead, payload: Buffer): Block | undefined {
    const begun = this.#begun;
    if (begun === undefined) return undefined;
    mustBe(begun.streamId === streamId, ERROR.protocol, "CONTINUATION of another stream");
    begun.parts.push(payload);
    begun.weight += payload.length + PART_BYTES;
    mustBe(begun.weight <= BLOCK_MAX_BYTES, ERROR.enhanceYourCalm, "too many fields");
    if ((flags & FLAG.endHeaders) === 0) return undefined;
    this.#begun = undefined;
    return { streamId, isLast: begun.isLast, bytes: Buffer.concat(begun.parts) };
  }
}

/** A stream that it depends on, and a weight: nobody asks for them any more. */
const PRIORITY_BYTES = 5;
