// Keys as paths of files, reversibly: a / in a key is a folder. What no file can be called stands
// as %XX, or in one of three forms that %XX leaves free:
//
//   "a/b"   a/b          "a//b"  a/%/b        an empty part of a key is the name %
//   "100%"  100%25       ".."    %2E%2E       so no key leads out of the folder
//   "a" and "a/b"        a and a%+/b          where a file stands, no folder can
//   a part above 200 bytes is cut into folders whose names end in %-
//
// Only % itself, dots alone, control characters and what is not UTF-8 are escaped; all file systems
// that take UTF-8 take these.

import { isUtf8 } from "node:buffer";

const SLASH = 0x2f;
const PERCENT = 0x25;
const EMPTY = "%";
const CONTINUED = "%-";
const BESIDE = "%+";
/** File systems take 255 bytes. */
const NAME_MAX_BYTES = 200;

/** The names of the folders, and last of the file, that stand for a key. */
export function namesFromKey(key: Uint8Array): string[] {
  const names: string[] = [];
  let start = 0;
  for (;;) {
    const end = key.indexOf(SLASH, start);
    names.push(...namesFromPart(key.subarray(start, end < 0 ? key.length : end)));
    if (end < 0) return names;
    start = end + 1;
  }
}

/** Another name for a folder whose own is taken by a file. */
export function besideFile(name: string): string {
  return name + BESIDE;
}

/** The key of a file, from the names on its path below the folder. */
export function keyFromNames(names: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (const [at, name] of names.entries()) {
    const last = at === names.length - 1;
    const own = last ? name : withoutEnd(name, BESIDE);
    const part = last ? own : withoutEnd(own, CONTINUED);
    if (part.toString("latin1") !== EMPTY) parts.push(unescaped(part));
    if (!last && part.length === own.length) parts.push(Buffer.from("/"));
  }
  return Buffer.concat(parts);
}

function withoutEnd(name: Buffer, end: string): Buffer {
  const { length } = end;
  return name.subarray(-length).toString("latin1") === end ? name.subarray(0, -length) : name;
}

function namesFromPart(part: Uint8Array): string[] {
  if (part.length === 0) return [EMPTY];
  const dots = part.length <= 2 && part.every((byte) => byte === 0x2e);
  const text = isUtf8(part);
  const names: string[] = [];
  let name = "";
  for (const piece of pieces(part, text)) {
    const escaped = piece.length === 1 && (dots || mustEscape(piece[0] ?? 0, text));
    const shown = escaped ? escapeOf(piece[0] ?? 0) : Buffer.from(piece).toString("utf8");
    if (Buffer.byteLength(name) + Buffer.byteLength(shown) > NAME_MAX_BYTES) {
      names.push(name + CONTINUED);
      name = "";
    }
    name += shown;
  }
  return [...names, name];
}

/** Characters, or bytes where it is no text. */
function* pieces(part: Uint8Array, text: boolean): Generator<Uint8Array> {
  for (let at = 0; at < part.length; ) {
    const first = part[at] ?? 0;
    const length = !text || first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    yield part.subarray(at, at + length);
    at += length;
  }
}

function mustEscape(byte: number, text: boolean): boolean {
  return byte < 0x20 || byte === PERCENT || byte === 0x7f || (!text && byte >= 0x80);
}

function escapeOf(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

function unescaped(name: Buffer): Buffer {
  if (!name.includes(PERCENT)) return name;
  const text = name.toString("latin1");
  const plain = text.replace(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(plain, "latin1");
}
