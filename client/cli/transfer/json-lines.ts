// Rows as JSON Lines: {"key": …, "value": …, "ttl": …}, lossless.

import { secondsText } from "../duration.js";
import { bytesForm, FormError, type Row, rowFromLine } from "../json-forms.js";
import { linesOf } from "../lines.js";
import { broken, ROW_MAX_BYTES, type RowItem, withoutMark } from "./row-item.js";

export async function* rowsFromJsonLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<RowItem> {
  for await (const line of linesOf(chunks, { maxBytes: ROW_MAX_BYTES })) {
    const place = `line ${line.number}`;
    if (line.kind === "too long") {
      yield broken(place, `it is longer than ${ROW_MAX_BYTES / 1024 / 1024} MiB`);
      continue;
    }
    const bytes = line.number === 1 ? withoutMark(line.bytes) : line.bytes;
    if (!isBlank(bytes)) yield itemOf(bytes, place);
  }
}

export function jsonLine({ key, value, ttlMs }: Row): string {
  return JSON.stringify({
    ...bytesForm("key", key),
    ...bytesForm("value", value),
    ...(ttlMs === undefined ? {} : { ttl: secondsText(ttlMs) }),
  });
}

function itemOf(line: Uint8Array, place: string): RowItem {
  try {
    return { kind: "row", row: rowFromLine(line), place };
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    return broken(place, error.message);
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
