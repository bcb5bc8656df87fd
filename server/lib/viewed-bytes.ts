// Bytes with a DataView of the same memory: what is short is copied, and looked at, four bytes at a
// time, where a typed array goes byte by byte, and a view of a part with a call to native code
// costs as much as 64 bytes. Measured by bench: batch.

export interface ViewedBytes {
  readonly bytes: Uint8Array;
  /** Of the very same bytes. */
  readonly view: DataView;
}

export function viewedBytes(bytes: Uint8Array): ViewedBytes {
  return { bytes, view: viewOf(bytes) };
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** From here on the call is cheaper. */
const SHORT_MAX_BYTES = 128;

/** Copies what is from `start` up to `end`, to a place where there is room for it. */
export function copyViewed(
  target: ViewedBytes,
  to: number,
  source: ViewedBytes,
  start: number,
  end: number,
): void {
  if (end - start > SHORT_MAX_BYTES) {
    target.bytes.set(source.bytes.subarray(start, end), to);
    return;
  }
  const from = source.view;
  const into = target.view;
  let at = start;
  let place = to;
  for (; at + 4 <= end; at += 4) {
    into.setInt32(place, from.getInt32(at));
    place += 4;
  }
  for (; at < end; at += 1) {
    into.setUint8(place, from.getUint8(at));
    place += 1;
  }
}
