// The Huffman code of HPACK: RFC 7541, section 5.2 and appendix B.
//
// The code is canonical: codes of one length follow each other in the order of their symbols, and
// those of the next length begin where these end. So the lengths say all.

/** By symbol, in bits; the last is EOS, which no text may hold. */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
] as const;

const EOS = 256;

/**
 * The tree of codes, as a machine that takes four bits at a time: no code is shorter than five, so
 * a step ends one symbol at most. Each node has 16 steps; a step is the next node, and the symbol
 * that it ended plus one, or NONE.
 */
const NIBBLES = 16;
const FAILS = 0xffff;
const NONE = 0;

interface Machine {
  readonly next: Uint16Array;
  readonly ends: Uint16Array;
  /** Whether a text may end at a node: at the root, or at most 7 ones below it. */
  readonly mayEnd: Uint8Array;
}

const { next: NEXT, ends: ENDS, mayEnd: MAY_END } = machineOf(treeOf(LENGTHS));

/** Of each node its two children: a node above 0, or a symbol as its complement. */
function treeOf(lengths: readonly number[]): number[][] {
  const nodes: number[][] = [[]];
  let code = 0;
  for (let length = 1; length <= Math.max(...lengths); length += 1) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      let node = 0;
      for (let bit = length - 1; bit > 0; bit -= 1) {
        const children = nodes[node] as number[];
        const side = (code >>> bit) & 1;
        if (children[side] === undefined) children[side] = nodes.push([]) - 1;
        node = children[side] as number;
      }
      (nodes[node] as number[])[code & 1] = ~symbol;
      code += 1;
    }
    code *= 2;
  }
  return nodes;
}

function machineOf(nodes: readonly number[][]): Machine {
  const next = new Uint16Array(nodes.length * NIBBLES);
  const ends = new Uint16Array(nodes.length * NIBBLES);
  const mayEnd = new Uint8Array(nodes.length);
  for (let node = 0, ones = 0; ones < 8; ones += 1) {
    mayEnd[node] = 1;
    node = nodes[node]?.[1] as number;
  }
  for (let step = 0; step < next.length; step += 1) {
    let node = Math.trunc(step / NIBBLES);
    for (let bit = 3; bit >= 0 && node !== FAILS; bit -= 1) {
      const child = nodes[node]?.[(step >> bit) & 1] as number;
      if (child >= 0) node = child;
      else if (~child === EOS) node = FAILS;
      else {
        ends[step] = ~child + 1;
        node = 0;
      }
    }
    next[step] = node;
  }
  return { next, ends, mayEnd };
}

/**
 * Undefined when it is none: EOS in it, or an end that is not the beginning of EOS. The characters
 * are put together outside of the text: one that grows by each of them keeps 32 bytes for it, as
 * long as nobody looks into it.
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number): string | undefined {
  const room = roomFor((to - from) * 2);
  let length = 0;
  let node = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = node * NIBBLES + ((byte >> shift) & 15);
      const symbol = ENDS[step] as number;
      if (symbol !== NONE) {
        room[length] = symbol - 1;
        length += 1;
      }
      node = NEXT[step] as number;
      if (node === FAILS) return undefined;
    }
  }
  return MAY_END[node] === 1 ? room.toString("latin1", 0, length) : undefined;
}

/** For all texts but long ones, of which there are few. */
const ROOM = Buffer.allocUnsafeSlow(1024);

function roomFor(bytes: number): Buffer {
  return bytes <= ROOM.length ? ROOM : Buffer.allocUnsafe(bytes);
}
