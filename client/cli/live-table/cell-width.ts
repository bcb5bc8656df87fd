// How many columns of a terminal a text takes, and texts cut to fit some.
//
// As terminals commonly count: East Asian wide characters and emoji take two columns, marks that
// combine with what stands before take none.

const WIDE_RANGES = [
  ...["\\u1100-\\u115f", "\\u2e80-\\u303e", "\\u3041-\\ua4cf", "\\uac00-\\ud7a3"],
  ...["\\uf900-\\ufaff", "\\ufe30-\\ufe6f", "\\uff01-\\uff60", "\\uffe0-\\uffe6"],
  ...["\\u{1f300}-\\u{1faff}", "\\u{20000}-\\u{3fffd}"],
].join("");
const WIDE = new RegExp(`^(?:\\p{Emoji_Presentation}|[${WIDE_RANGES}])`, "u");
const NOTHING = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;
const ELLIPSIS = "\u2026";

export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** Exactly so many columns: cut with an ellipsis, or filled with blanks. */
export function fitted(text: string, columns: number): string {
  const cut = cutTo(text, columns);
  return cut + " ".repeat(Math.max(0, columns - cellWidth(cut)));
}

/** At most so many columns. */
export function cutTo(text: string, columns: number): string {
  if (text.length <= columns && cellWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  let short = "";
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) return columns > 0 ? short + ELLIPSIS : "";
    cut += character;
    if (width < columns) short = cut;
  }
  return cut;
}

function widthOf(character: string): number {
  if (character < "\u0300") return 1;
  if (NOTHING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
