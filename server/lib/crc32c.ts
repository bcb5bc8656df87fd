// CRC-32C (Castagnoli; RFC 3720, appendix B.4), eight bytes a step: "slicing-by-8", Kounavis and
// Berry, 2005. Through a view, because that reads four bytes at a time: 128 bytes in 0.14 µs, where
// byte by byte takes 0.2 to 0.4.

const POLYNOMIAL = 0x82f63b78;

/** TABLE[256 * k + b]: what byte b leaves when k zero bytes follow it. */
const TABLE = makeTable();

/** The CRC of what is from `start` up to `end`; `before` is that of what comes before it. */
export function crc32c(view: DataView, start: number, end: number, before = 0): number {
  let crc = ~before;
  let index = start;
  for (; index + 8 <= end; index += 8) {
    const low = crc ^ view.getInt32(index, true);
    const high = view.getInt32(index + 4, true);
    crc =
      (TABLE[0x700 + (low & 0xff)] as number) ^
      (TABLE[0x600 + ((low >>> 8) & 0xff)] as number) ^
      (TABLE[0x500 + ((low >>> 16) & 0xff)] as number) ^
      (TABLE[0x400 + (low >>> 24)] as number) ^
      (TABLE[0x300 + (high & 0xff)] as number) ^
      (TABLE[0x200 + ((high >>> 8) & 0xff)] as number) ^
      (TABLE[0x100 + ((high >>> 16) & 0xff)] as number) ^
      (TABLE[high >>> 24] as number);
  }
  for (; index < end; index += 1) {
    crc = (TABLE[(crc ^ view.getUint8(index)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] as number;
    table[at] = (before >>> 8) ^ (table[before & 0xff] as number);
  }
  return table;
}
