// What reading a file gives, whatever its format: rows, and what is broken, each with its place.

import type { Row } from "../json-forms.js";

export type RowItem =
  | { readonly kind: "row"; readonly row: Row; readonly place: string }
  | BrokenItem;

export interface BrokenItem {
  readonly kind: "broken";
  /** As people find it: "line 7", "file a/b". */
  readonly place: string;
  readonly why: string;
}

export function broken(place: string, why: string): BrokenItem {
  return { kind: "broken", place, why };
}

/** No row is larger: room for a value of 1.5 MiB of which every byte is an escape of six. */
export const ROW_MAX_BYTES = 16 * 1024 * 1024;

/** Without the byte order mark that some editors put first. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
