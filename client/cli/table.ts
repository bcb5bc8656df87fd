// Tables for people. All rows are held until the end, because the widths depend on them.
//
// On a terminal that is too narrow the widest columns give way, and their cells go on in the next
// line: a table that the terminal wraps by itself cannot be read, and nothing shall be left out.

import { cellWidth } from "./live-table/cell-width.js";

/** Two characters and a blank on each side: a column without room for those shows nothing. */
const CELL_MIN = 4;
const TEXT_MIN = 10;

export async function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: {
    readonly right?: readonly number[];
    /** The width to keep to; that of the terminal unless told. */
    readonly columns?: number | undefined;
  } = {},
): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const render = (widths?: number[]): string => {
    const shaped = (cells: readonly string[]) =>
      widths === undefined ? [...cells] : cells.map((cell, at) => wrapped(cell, widths[at] ?? 0));
    const table = new Table({
      head: shaped(head),
      style: { head: [], border: [], compact: true },
      colAligns: head.map((_, column) => (options.right?.includes(column) ? "right" : "left")),
      ...(widths === undefined ? {} : { colWidths: widths }),
    });
    for (const row of rows) table.push(shaped(row));
    return table.toString();
  };
  const text = render();
  const room = options.columns ?? terminalColumns();
  const numbers = new Set(options.right);
  const widths = room === undefined ? undefined : fittingWidths(text, { room, numbers });
  return widths === undefined ? text : render(widths);
}

/** In lines that a column of that width has room for; the library would cut characters in two. */
function wrapped(cell: string, width: number): string {
  const room = width - 2;
  let text = "";
  let used = 0;
  for (const character of cell) {
    const columns = cellWidth(character);
    if (character === "\n") used = 0;
    else if (used + columns > room) {
      text += "\n";
      used = columns;
    } else used += columns;
    text += character;
  }
  return text;
}

function terminalColumns(): number | undefined {
  const { isTTY, columns } = process.stdout;
  return isTTY === true && columns > 0 ? columns : undefined;
}

/** Of a table as it is without a bound, by its upper edge; undefined when it has room. */
function fittingWidths(
  text: string,
  { room, numbers }: { readonly room: number; readonly numbers: ReadonlySet<number> },
): number[] | undefined {
  const edge = text.split("\n", 1)[0] ?? "";
  let excess = edge.length - room;
  if (excess <= 0) return undefined;
  const widths = edge
    .slice(1, -1)
    .split("┬")
    .map(({ length }) => length);
  for (; excess > 0; excess -= 1) {
    const texts = widths.map((width, column) => (numbers.has(column) ? 0 : width));
    // Numbers stay whole as long as texts have room.
    const from = Math.max(...texts) > TEXT_MIN ? texts : widths;
    const width = Math.max(...from);
    if (width <= CELL_MIN) break;
    widths[from.indexOf(width)] = width - 1;
  }
  return widths;
}
