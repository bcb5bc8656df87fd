// Manual pages in roff, with the macros of man(7).

/** A line of text: nothing in it is a request, and hyphens stay what can be typed. */
export function escaped(text: string): string {
  const inner = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/[^\n -~]/gu, (character) => {
      const point = character.codePointAt(0) ?? 0;
      return `\\[u${point.toString(16).toUpperCase().padStart(4, "0")}]`;
    });
  return inner.replace(/^(?=[.'])/gm, "\\&");
}

export function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

export function heading(text: string): string {
  return `.SH ${text.toUpperCase()}`;
}

export function subheading(text: string): string {
  return `.SS ${escaped(text)}`;
}

export function paragraph(text: string): string {
  return `.PP\n${escaped(text)}`;
}

/** @param tag roff already. */
export function tagged(tag: string, text: string): string {
  return `.TP\n${tag}\n${escaped(text)}`;
}

/** Lines as they are. */
export function verbatim(lines: readonly string[]): string {
  return [".PP", ".RS 4", ".nf", ...lines.map(escaped), ".fi", ".RE"].join("\n");
}
