// A live table as lines that fit a terminal, however small. Pure.

import { roughText } from "../duration.js";
import type { Style } from "../output.js";
import { cellWidth, cutTo, fitted } from "./cell-width.js";
import type { LiveRow, LiveRows, Mark } from "./live-rows.js";

export interface Frame {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  /** What stands above. */
  readonly title: string;
  style(style: Style, text: string): string;
}

/** How long a change is marked. */
export const MARKED_MS = 5_000;

const SIGNS: Readonly<Record<Mark, { sign: string; style: Style }>> = {
  new: { sign: "+", style: "green" },
  changed: { sign: "*", style: "yellow" },
  deleted: { sign: "-", style: "red" },
};

/** Below it there is no room for the revision. */
const WIDE_COLUMNS = 60;
const AGE_COLUMNS = 7;
const REVISION_COLUMNS = 10;
const SIGN_COLUMNS = 2;

/** At most `rows` lines of at most `columns` columns, colours not counted. */
export function frameLines(table: LiveRows, frame: Frame): string[] {
  const { columns, rows, style } = frame;
  const room = Math.max(1, rows - 2);
  const total = table.shown(Number.POSITIVE_INFINITY).length;
  const shown = table.shown(total > room ? Math.max(1, room - 1) : room);
  const widths = widthsOf(shown, columns);
  const head = headLine(widths, columns);
  const lines = shown.map((row) => rowLine(row, widths, frame));
  const rest = total - shown.length;
  if (rest > 0) lines.push(style("dim", cutTo(`  and ${rest} more that changed before`, columns)));
  return [style("bold", cutTo(frame.title, columns)), style("dim", head), ...lines].slice(0, rows);
}

interface Widths {
  readonly key: number;
  readonly value: number;
  readonly revision: number;
  readonly age: number;
}

function widthsOf(rows: readonly LiveRow[], columns: number): Widths {
  const revision = columns >= WIDE_COLUMNS ? REVISION_COLUMNS : 0;
  const age = columns >= WIDE_COLUMNS / 2 ? AGE_COLUMNS : 0;
  const room = Math.max(2, columns - SIGN_COLUMNS - revision - age - 1);
  const longest = rows.reduce((most, row) => Math.max(most, cellWidth(row.key)), 3);
  const key = Math.min(longest, Math.max(1, Math.floor(room / 2)));
  return { key, value: Math.max(1, room - key), revision, age };
}

function headLine(widths: Widths, columns: number): string {
  const cells = { key: "key", value: "value", revision: "revision", age: "since" };
  return cutTo(line("  ", cells, widths), columns);
}

function rowLine(row: LiveRow, widths: Widths, { nowMs, style }: Frame): string {
  const ageMs = Math.max(0, nowMs - row.seenMs);
  const isFresh = row.mark !== undefined && ageMs < MARKED_MS;
  const marked = isFresh && row.mark !== undefined ? SIGNS[row.mark] : undefined;
  const cells = {
    key: row.key,
    value: row.mark === "deleted" ? "" : row.value,
    revision: String(row.revision),
    age: row.mark === undefined ? "" : ageText(ageMs),
  };
  const text = line(`${marked?.sign ?? " "} `, cells, widths);
  return marked === undefined ? text : style(marked.style, text);
}

function line(sign: string, cells: Readonly<Record<keyof Widths, string>>, widths: Widths): string {
  const right = (name: "revision" | "age") => {
    const width = widths[name];
    return width === 0 ? "" : ` ${cutTo(cells[name], width - 1).padStart(width - 1)}`;
  };
  const left = `${fitted(cells.key, widths.key)} ${fitted(cells.value, widths.value)}`;
  return `${sign}${left}${right("revision")}${right("age")}`.trimEnd();
}

/** In whole seconds, one unit: it changes every second. */
function ageText(ms: number): string {
  if (ms < 1_000) return "now";
  return roughText(ms).split(" ")[0] ?? "";
}
