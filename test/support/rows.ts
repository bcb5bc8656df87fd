// Rows for tests that want some without a store around them.

import type { RowSpan } from "../../server/store/backend.js";
import { type NewRow, NO_ROW } from "../../server/store/row-layout.js";
import { Rows } from "../../server/store/rows.js";
import type { Version } from "../../server/store/version.js";

export interface KeyVersion {
  readonly key: Uint8Array;
  readonly version: Version;
}

/** A version as a row that nothing was before. */
export function newRow({ key, version }: KeyVersion): NewRow {
  const { value } = version;
  return {
    ...version,
    key,
    keyStart: 0,
    keyEnd: key.length,
    value,
    valueStart: 0,
    valueEnd: value.length,
    view: undefined,
  };
}

/** The changes of one commit. */
export function rowSpan(changes: readonly KeyVersion[]): RowSpan {
  const rows = new Rows();
  const [first = NO_ROW] = changes.map((change) => rows.append(newRow(change), NO_ROW, undefined));
  return { rows, first, length: changes.length };
}
