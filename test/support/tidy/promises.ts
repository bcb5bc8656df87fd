// What is promised in words: every reason that can arise has a test and a line in the docs, every
// limit has its flag and its default there.

import type { LimitDefinition } from "../../../server/kv/limits.js";
import type { Finding, Source } from "./source.js";

export interface ReasonFacts {
  readonly reasons: readonly string[];
  /** Those whose cause is not built yet. */
  readonly later: readonly string[];
  readonly sources: readonly Source[];
  readonly tests: readonly Source[];
  readonly docs: Pick<Source, "path" | "text">;
}

/** The list and the tables name every reason; neither gives one. */
const NAMES_ALL = /^server\/(?:kv\/(?:errors|engine)|rpc\/status)\.ts$/;

export function reasonFindings(facts: ReasonFacts): Finding[] {
  const { reasons, later, sources, tests, docs } = facts;
  const givers = sources.filter(({ path }) => !NAMES_ALL.test(path));
  return reasons.flatMap((reason) => {
    const giver = namer(givers, reason);
    const found: Finding[] = [];
    if (!docs.text.includes(`| ${reason} |`)) {
      const text = `${reason} has no row: its status, cause, metadata, and whether to try again`;
      found.push({ path: docs.path, line: 1, text });
    }
    if (later.includes(reason)) {
      if (giver === undefined) return found;
      const text = `${reason} can arise now: take it off the list of those that come later`;
      return [...found, { path: giver.path, line: lineOfName(giver, reason), text }];
    }
    if (giver === undefined) {
      const text = `${reason} is given by nothing: delete it, or list it as coming later`;
      return [...found, { path: "server/kv/errors.ts", line: 1, text }];
    }
    if (namer(tests, reason) !== undefined) return found;
    const text = `${reason} has no test: write one that gets it as its answer`;
    return [...found, { path: giver.path, line: lineOfName(giver, reason), text }];
  });
}

function namer(sources: readonly Source[], reason: string): Source | undefined {
  return sources.find((source) => lineOfName(source, reason) > 0);
}

/** 0 when it is not named as a text. */
function lineOfName({ text, comments }: Source, reason: string): number {
  for (const quote of ['"', "'", "`"]) {
    const at = text.indexOf(quote + reason + quote);
    if (at >= 0 && comments[at] !== quote) return text.slice(0, at).split("\n").length;
  }
  return 0;
}

export function limitFindings(
  limits: Readonly<Record<string, LimitDefinition>>,
  docs: Pick<Source, "path" | "text">,
): Finding[] {
  const lines = docs.text.split("\n");
  return Object.values(limits).flatMap(({ flag, unit, value }) => {
    const at = lines.findIndex((line) => line.startsWith(`| \`${flag}\` |`));
    if (at < 0) {
      return [{ path: docs.path, line: 1, text: `${flag} has no row: its default, what happens` }];
    }
    const shown = lines[at]?.split("|")[2]?.trim();
    const wanted = value === 0 ? undefined : quantityText(value, unit);
    if (wanted === undefined || shown === wanted) return [];
    const text = `${flag} is ${wanted} by default, not ${shown}`;
    return [{ path: docs.path, line: at + 1, text }];
  });
}

/** As the docs write it: 1.5 MiB, 8 KiB, 100,000, 60 s, 5 min. */
export function quantityText(value: number, unit: LimitDefinition["unit"]): string {
  if (unit === "count") return value.toLocaleString("en-US");
  if (unit === "ms") return value > 60_000 ? `${value / 60_000} min` : `${value / 1000} s`;
  const kib = value / 1024;
  return kib >= 1024 ? `${kib / 1024} MiB` : `${kib} KiB`;
}
