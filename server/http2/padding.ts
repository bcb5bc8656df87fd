// Padding of DATA and HEADERS: RFC 9113, sections 6.1 and 6.2.

import { mustBe } from "./connection-error.js";
import { ERROR, FLAG } from "./protocol.js";

/** What is in the frame beside it. @throws ConnectionError */
export function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & FLAG.padded) === 0) return payload;
  const padding = payload[0] ?? Number.POSITIVE_INFINITY;
  mustBe(padding < payload.length, ERROR.protocol, "padding longer than its frame");
  return payload.subarray(1, payload.length - padding);
}
