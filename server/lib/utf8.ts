// Whether bytes are UTF-8, as strict as a fatal TextDecoder: no form that is longer than it need
// be, no surrogates, nothing above U+10FFFF. For short texts in the middle of larger bytes, where a
// view and a call to native code cost more than the bytes.

import type { ViewedBytes } from "./viewed-bytes.js";

/** From `start` up to `end`. */
export function isUtf8({ bytes, view }: ViewedBytes, start: number, end: number): boolean {
  let at = start;
  for (; at + 4 <= end; at += 4) {
    if ((view.getInt32(at) & HIGH_BITS) !== 0) return isUtf8Beyond(bytes, at, end);
  }
  for (; at < end; at += 1) {
    if ((bytes[at] as number) >= 0x80) return isUtf8Beyond(bytes, at, end);
  }
  return true;
}

/** Of four bytes; ASCII has none. */
const HIGH_BITS = 0x8080_8080 | 0;

function isUtf8Beyond(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const lead = bytes[at] as number;
    at += 1;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (end - at < more) return false;
    // After these leads, not every byte may come second.
    const second = bytes[at] as number;
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < lowest || second > highest) return false;
    for (let index = at + 1; index < at + more; index += 1) {
      if (((bytes[index] as number) & 0xc0) !== 0x80) return false;
    }
    at += more;
  }
  return true;
}
