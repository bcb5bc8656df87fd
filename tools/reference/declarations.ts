// The declarations of a .d.ts file as the compiler writes it: each statement begins in the first
// column and ends there, each member four columns further in, and comments stand before both. So
// lines are enough; it is no parser.

export interface Declaration {
  readonly name: string;
  /** The comment before it, as Markdown; empty when there is none. */
  readonly doc: string;
  /** All lines, without `export declare`. */
  readonly code: string;
  /** Of an interface or a class; undefined for all else. */
  readonly members: readonly Member[] | undefined;
}

export interface Member {
  readonly doc: string;
  readonly code: string;
}

interface Statement {
  readonly comment: string;
  readonly lines: readonly string[];
}

export interface ReExport {
  readonly path: string;
  /** Undefined: all of them. */
  readonly names: readonly string[] | undefined;
}

const DECLARATION =
  /^export (?:declare )?(?=(?:abstract )?(interface|class|type|const|function) (\w+))/;

export function declarationsOf(text: string): readonly Declaration[] {
  return statementsOf(text.split("\n"), "").flatMap(({ comment, lines }) => {
    const [, keyword = "", name] = DECLARATION.exec(lines[0] ?? "") ?? [];
    if (name === undefined) return [];
    const code = lines.join("\n").replace(DECLARATION, "");
    const hasMembers = keyword === "interface" || keyword === "class";
    const members = hasMembers ? membersOf(lines.slice(1, -1)) : undefined;
    return [{ name, doc: docOf(comment), code, members }];
  });
}

/** `export … from`, in their order. */
export function reExportsOf(text: string): readonly ReExport[] {
  const found = text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from "\.\/(.*)\.js";$/gm);
  return [...found].map(([, what = "", path = ""]) => ({
    path,
    names:
      what === "*" ? undefined : [...what.matchAll(/(\w+)\s*[,}]/g)].map(([, name]) => `${name}`),
  }));
}

function membersOf(lines: readonly string[]): readonly Member[] {
  return statementsOf(lines, "    ")
    .filter(({ lines: [first = ""] }) => !/^ *(?:private|#)/.test(first))
    .map(({ comment, lines }) => ({ doc: docOf(comment), code: unindented(lines, "    ") }));
}

/** Statements at this indent; an interface or a class ends with its brace, all else with a `;`. */
function statementsOf(lines: readonly string[], indent: string): readonly Statement[] {
  const found: Statement[] = [];
  let comment: string[] = [];
  let statement: string[] = [];
  for (const line of lines) {
    const inComment = comment.length > 0 && !/\*\/$/.test(comment.at(-1) ?? "");
    if (statement.length === 0 && (inComment || line.startsWith(`${indent}/**`))) {
      comment = inComment ? [...comment, line] : [line];
      continue;
    }
    statement.push(line);
    if (!endsStatement(statement, indent)) continue;
    found.push({ comment: unindented(comment, indent), lines: statement });
    comment = [];
    statement = [];
  }
  return found;
}

function endsStatement(statement: readonly string[], indent: string): boolean {
  const line = statement.at(-1) ?? "";
  if (!line.startsWith(indent) || line.startsWith(`${indent} `)) return false;
  if (line.endsWith(";")) return true;
  const hasBraces = /^export (?:declare )?(?:abstract )?(?:interface|class) /.test(
    statement[0] ?? "",
  );
  return line === "" || (hasBraces && /^\}|\{\s*\}$/.test(line));
}

function unindented(lines: readonly string[], indent: string): string {
  return lines.map((line) => line.replace(new RegExp(`^${indent}`), "")).join("\n");
}

/** The words of a comment; what it throws becomes a paragraph of its own. Code stays as it is. */
function docOf(comment: string): string {
  const text = comment.replace(/^\/\*\*[ \n]?|\s*\*\/$/g, "").replace(/^ \* ?/gm, "");
  const parts = text.split("```").map((part, index) => {
    if (index % 2 === 1) return part;
    return part.replace(/^ +/gm, "").replace(/\s*@throws\s+/g, "\n\nThrows ");
  });
  return parts.join("```").trim();
}
