// JSON text, indented or on one line. Numbers, strings and doubled members stay as they were
// written: parsing and printing anew would round 12345678901234567890.

/** @throws SyntaxError when it is not JSON. */
export function prettyJson(text: string): string {
  JSON.parse(text);
  return indent(text);
}

/** On one line, without blanks. @throws SyntaxError when it is not JSON. */
export function compactJson(text: string): string {
  JSON.parse(text);
  return [...text.matchAll(TOKEN)].map(([token]) => token).join("");
}

/** Strings, or single structural characters, or numbers and words; blanks fall through. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

function indent(text: string): string {
  const out: string[] = [];
  let depth = 0;
  let before = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(TOKEN)) {
    const opened = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth -= 1;
      out.push(opened ? token : line() + token);
    } else {
      if (opened || before === ",") out.push(line());
      out.push(token === ":" ? ": " : token);
      if (token === "{" || token === "[") depth += 1;
    }
    before = token;
  }
  return out.join("");
}
