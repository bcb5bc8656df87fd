// Keys as strings that sort like their bytes: one latin1 character a byte, so that JavaScript's own
// string order is byte order and a string can be a map's key.

/** The bytes as a string of as many characters. */
export function latin1FromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The inverse. The result has memory of its own, no slice of a pool. */
export function bytesFromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Whether left sorts before (< 0), with (0) or after (> 0) right, byte by byte. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}

/** A copy with memory of its own. (slice() of a Buffer would be a view of the same memory.) */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
