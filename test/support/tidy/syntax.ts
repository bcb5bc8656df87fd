// What does not stand in any source of ours, and what to write instead.

import { type Finding, findingAt, importsOf, matchesInCode, type Source } from "./source.js";

interface Ban {
  readonly pattern: RegExp;
  readonly text: string;
  /** Everywhere, if undefined. */
  readonly only?: RegExp;
}

const STORE = /^server\/store\//;

const BANS: readonly Ban[] = [
  {
    pattern: /(?<![.\w$])enum\s+[A-Za-z_$]/g,
    text: "enum: write a union of texts, or an object `as const`",
  },
  {
    pattern: /(?<![.\w$"'])any(?![\w$("'-])(?!\s*:)/g,
    text: "any: write the type, or unknown and a check",
  },
  { pattern: /\bexport\s+default\b/g, text: "default export: export it by its name" },
  { pattern: /\bconsole\s*[.?[]/g, text: "console: log through the Logger, write through Output" },
  { pattern: /\.only\b/g, text: ".only leaves the other tests out: take it away" },
  { pattern: /(?<![.\w$])debugger\b/g, text: "debugger: take it away" },
  {
    pattern: /(?<![.\w$])(?:Date|performance)\b/g,
    text: "time in the store: take it as an argument (Now, of lib/clock.ts)",
    only: STORE,
  },
  {
    pattern: /(?<![.\w$])(?:set(?:Timeout|Interval|Immediate)|queueMicrotask)\b|\bnextTick\b/g,
    text: "a timer in the store: the engine has a Clock, the store works when it is called",
    only: STORE,
  },
  {
    pattern: /\bMath\s*\.\s*random\b|\brandom(?:Bytes|UUID|Int)\b/g,
    text: "randomness in the store: take it as an argument (lib/random.ts)",
    only: STORE,
  },
  {
    pattern: /(?<![.\w$])(?:async|await|Promise)\b/g,
    text: "waiting in the store: it is synchronous; waiting happens in engines",
    // The seam to the log: the engine awaits what its implementations promise.
    only: /^server\/store\/(?!backend\.ts$)/,
  },
];

export function syntaxFindings(source: Source): Finding[] {
  return BANS.filter(({ only }) => only === undefined || only.test(source.path)).flatMap(
    ({ pattern, text }) =>
      [...matchesInCode(source, pattern)].map(({ index }) => findingAt(source, index, text)),
  );
}

/** Waiting for a time, where a test should wait for what it waits for. */
export function sleepFindings(source: Source): Finding[] {
  if (!source.path.startsWith("test/")) return [];
  const text = "a test that sleeps is slow or wrong: wait for the condition, or use ManualClock";
  const imports = importsOf(source).filter(({ specifier }) => specifier === "node:timers/promises");
  return imports.map(({ line }) => ({ path: source.path, line, text }));
}

const LINE_MAX_COLUMNS = 100;

/** Texts and lists of imports that the formatter leaves long are excepted. */
export function lineFindings({ path, text, code }: Source): Finding[] {
  const codeLines = code.split("\n");
  return text.split("\n").flatMap((line, index) => {
    const columns = Array.from(line).length;
    const codeLine = codeLines[index] ?? "";
    if (columns <= LINE_MAX_COLUMNS || /["'`]/.test(codeLine)) return [];
    return [{ path, line: index + 1, text: `${columns} columns: at most ${LINE_MAX_COLUMNS}` }];
  });
}

const HEADER_MAX_LINES = 12;

export function headerFindings(source: Source): Finding[] {
  const lines = source.text.split("\n");
  const start = lines[0]?.startsWith("#!") === true ? 1 : 0;
  const rest = lines.slice(start);
  const length = rest.findIndex((line) => !line.startsWith("//"));
  if (length === 0) {
    const text = "no header: say what the file is for, its invariants, what it does not know";
    return [{ path: source.path, line: start + 1, text }];
  }
  if (length <= HEADER_MAX_LINES) return [];
  const text = `a header of ${length} lines: at most ${HEADER_MAX_LINES}, the rest goes to docs/`;
  return [{ path: source.path, line: start + 1, text }];
}

const TO_DO = /\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/g;

export function toDoFindings(source: Source): Finding[] {
  return [...source.comments.matchAll(TO_DO)].map(({ index }) =>
    findingAt(source, index, "write TODO(#123), with the issue, or do it"),
  );
}

const BANNED_NAME = /(?:^|\/)(?:utils?|helpers?|common|misc|managers?|index)\.ts$/;

export function nameFindings({ path }: Pick<Source, "path">): Finding[] {
  if (!BANNED_NAME.test(path) || path === "client/index.ts") return [];
  return [{ path, line: 1, text: "a name that says nothing: name the one thing that is in it" }];
}
