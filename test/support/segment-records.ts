// Where the records of a segment stand.

import { viewOf } from "../../server/lib/viewed-bytes.js";
import { decodeSegmentHeader, frameAt, SEGMENT_HEADER_BYTES } from "../../server/wal/log-format.js";

export interface RecordPlace {
  readonly start: number;
  readonly end: number;
}

/** Those that are whole, up to the first that is not. */
export function recordsOf(segment: Buffer): RecordPlace[] {
  const records: RecordPlace[] = [];
  const { keys } = decodeSegmentHeader(segment);
  let start = SEGMENT_HEADER_BYTES;
  for (;;) {
    const framed = frameAt(viewOf(segment), start, { left: segment.length - start, keys });
    if (framed.kind !== "record") return records;
    records.push({ start, end: start + framed.length });
    start += framed.length;
  }
}
