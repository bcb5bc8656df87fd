// The rules of the house, held over every file. Each rule is a function in test/support/tidy, tried
// out on planted faults in test/unit/tidy.test.ts.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import { REASONS } from "../server/kv/errors.js";
import { LIMITS } from "../server/kv/limits.js";
import { layerFindings } from "./support/tidy/layers.js";
import { limitFindings, reasonFindings } from "./support/tidy/promises.js";
import { ENTRY_POINTS, unreachedFindings } from "./support/tidy/reachable.js";
import { type Finding, type Source, sourceFromText } from "./support/tidy/source.js";
import {
  headerFindings,
  lineFindings,
  nameFindings,
  sleepFindings,
  syntaxFindings,
  toDoFindings,
} from "./support/tidy/syntax.js";

/** Their cause comes with the log, with files, and with other engines. */
const LATER = ["NOT_SUPPORTED", "CORRUPT"];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const SOURCES = ["bench", "server", "client", "test", "examples", "tools"].flatMap(sourcesOf);
const OF_PRODUCT = SOURCES.filter(({ path }) => /^(?:server|client)\//.test(path));
const GUARANTEES = textFile("docs/guarantees.md");

function sourcesOf(folder: string): Source[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`)
    .sort()
    .map((path) => sourceFromText(path, textFile(path).text));
}

function textFile(path: string): { path: string; text: string } {
  return { path, text: readFileSync(`${ROOT}${path}`, "utf8") };
}

/** What is found is shown, one a line, as editors take it. */
const none = test.macro((t, find: () => readonly Finding[]) => {
  const lines = find().map(({ path, line, text }) => `${path}:${line}: ${text}`);
  t.is(lines.length, 0, `\n${lines.join("\n")}`);
});

const everywhere = (rule: (source: Source) => Finding[]) => () => SOURCES.flatMap(rule);

test("there are sources to look at", (t) => {
  t.true(OF_PRODUCT.length > 100);
  t.true(SOURCES.length > OF_PRODUCT.length);
});

test("imports keep to the layers", none, everywhere(layerFindings));
test("no source holds what the house does not want", none, everywhere(syntaxFindings));
test("no test sleeps", none, everywhere(sleepFindings));
test("every file says first what it is for", none, everywhere(headerFindings));
test("lines have at most 100 columns", none, everywhere(lineFindings));
test("what is left to do has an issue", none, everywhere(toDoFindings));
test("names of files say something", none, everywhere(nameFindings));

test("every file is reached from an entry point", none, () =>
  unreachedFindings(OF_PRODUCT, ENTRY_POINTS),
);

test("every reason has a test and a line in the docs", none, () =>
  reasonFindings({
    reasons: REASONS,
    later: LATER,
    sources: OF_PRODUCT.filter(({ path }) => path.startsWith("server/")),
    tests: SOURCES.filter(({ path }) => /^test\/(?:conformance|e2e|unit\/(?!cli))/.test(path)),
    docs: GUARANTEES,
  }),
);

test("every limit is in the docs, with its default", none, () => limitFindings(LIMITS, GUARANTEES));
