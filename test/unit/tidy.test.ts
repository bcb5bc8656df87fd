// The rules of the house on planted faults: each is found, where it is, and what is right is not.

import test from "ava";
import { layerFindings } from "../support/tidy/layers.js";
import { limitFindings, quantityText, reasonFindings } from "../support/tidy/promises.js";
import { unreachedFindings } from "../support/tidy/reachable.js";
import { type Finding, importsOf, type Source, sourceFromText } from "../support/tidy/source.js";
import {
  headerFindings,
  lineFindings,
  nameFindings,
  sleepFindings,
  syntaxFindings,
  toDoFindings,
} from "../support/tidy/syntax.js";

type Rule = (source: Source) => Finding[];

/** Is there a finding, and in which lines? */
const linesOf = (rule: Rule, path: string, text: string): number[] =>
  rule(sourceFromText(path, text)).map(({ line }) => line);

const found = test.macro({
  exec(t, rule: Rule, path: string, text: string, line = 1) {
    t.deepEqual(linesOf(rule, path, text), [line]);
  },
  title: (_, rule: Rule, path, text) => `${rule.name} finds ${JSON.stringify(text)} in ${path}`,
});

const fine = test.macro({
  exec(t, rule: Rule, path: string, text: string) {
    t.deepEqual(linesOf(rule, path, text), []);
  },
  title: (_, rule: Rule, path, text) => `${rule.name} lets ${JSON.stringify(text)} be in ${path}`,
});

test("comments, texts, templates and regular expressions are not code", (t) => {
  const text = [
    "#!/usr/bin/env node",
    "const a = \"enum // no\" + 'any'; // any",
    `const b = \`any $\{c + \`any $\{d}\` + e} any\`;`,
    "const f = g / any / 2; /* any */ const h = /any[/]any/.test(i);",
    'const j = "\\"any";',
  ].join("\n");
  const { code, comments } = sourceFromText("a.ts", text);
  t.is(code.length, text.length);
  t.is(code.match(/any/g)?.length, 1);
  t.regex(code, /c \+ `\s+\$\{d\}`\s\+ e/);
  t.is(comments.match(/any/g)?.length, 2);
  t.true(comments.startsWith("#!/usr/bin/env node\n"));
});

test("imports of every form are seen", (t) => {
  const text = [
    'import a from "one";',
    'import type { b } from "two";',
    'import {\n  c,\n  type d,\n} from "three";',
    'import "four";',
    'export { e } from "five";',
    'export type * from "six";',
    'export * as g from "seven";',
    'const h = await import("eight");',
    'type I = import("nine").I;',
    "const j = await import(`ten`);",
    "const k = await import(name);",
    'export const l = "none"; // import "none"',
    'const m = n.import("none");',
    "export function o() {}",
  ].join("\n");
  const specifiers = importsOf(sourceFromText("a.ts", text)).map(({ specifier }) => specifier);
  const texts = "one two three four five six seven eight nine ten".split(" ");
  t.deepEqual(specifiers, [...texts, undefined]);
});

const importing = (specifier: string) => `\nimport { a } from "${specifier}";`;

test(found, layerFindings, "server/kv/a.ts", importing("../lib/b.js"), 2);
test(found, layerFindings, "server/kv/a.ts", importing("node:crypto"), 2);
test(found, layerFindings, "server/lib/a.ts", importing("../kv/b.js"), 2);
test(found, layerFindings, "server/lib/a.ts", importing("pino"), 2);
test(found, layerFindings, "server/store/a.ts", importing("node:fs"), 2);
test(found, layerFindings, "server/store/a.ts", importing("../engines/memory.js"), 2);
test(found, layerFindings, "server/store/a.ts", importing("../../gen/grpc/kvd/v1/kv.js"), 2);
test(found, layerFindings, "server/engines/a.ts", importing("../rpc/b.js"), 2);
test(found, layerFindings, "server/rpc/a.ts", importing("../store/b.js"), 2);
test(found, layerFindings, "server/rpc/a.ts", importing("../engines/memory.js"), 2);
test(found, layerFindings, "server/rpc/a.ts", importing("../config.js"), 2);
test(found, layerFindings, "server/a.ts", importing("../client/index.js"), 2);
test(found, layerFindings, "server/a.ts", importing("cli-table3"), 2);
test(found, layerFindings, "client/a.ts", importing("../server/kv/types.js"), 2);
test(found, layerFindings, "client/a.ts", importing("./cli/output.js"), 2);
test(found, layerFindings, "client/cli/a.ts", importing("../client.js"), 2);
test(found, layerFindings, "client/cli/commands/a.ts", importing("../../../gen/grpc/a.js"), 2);
test(found, layerFindings, "examples/b/a.ts", importing("../../client/kv.js"), 2);
test(found, layerFindings, "test/e2e/a.test.ts", importing("../../server/server.js"), 2);
test(found, layerFindings, "test/unit/a.test.ts", importing("../../server/main.js"), 2);
test(
  found,
  layerFindings,
  "test/conformance/suites/a.ts",
  importing("../../../server/store/b.js"),
  2,
);
test(found, layerFindings, "test/support/model-a.ts", importing("../../server/lib/heap.js"), 2);
test(found, layerFindings, "server/new/a.ts", importing("../store/b.js"), 2);
test(found, layerFindings, "elsewhere/a.ts", importing("./b.js"), 2);
test(found, layerFindings, "server/rpc/a.ts", "await import(name);");

test(fine, layerFindings, "server/store/a.ts", importing("../kv/types.js"));
test(fine, layerFindings, "server/store/a.ts", importing("./b.js"));
test(fine, layerFindings, "server/rpc/a.ts", importing("@bufbuild/protobuf/wire"));
test(fine, layerFindings, "server/a.ts", importing("./engines/memory.js"));
test(fine, layerFindings, "client/cli/commands/a.ts", importing("../../index.js"));
test(fine, layerFindings, "client/cli/commands/a.ts", importing("../output.js"));
test(fine, layerFindings, "test/unit/a.test.ts", importing("../../server/store/b.js"));

test(found, syntaxFindings, "server/a.ts", "\nenum Color { red }", 2);
test(found, syntaxFindings, "server/a.ts", "const enum Color { red }");
test(found, syntaxFindings, "client/a.ts", "const a: any = 1;");
test(found, syntaxFindings, "client/a.ts", "a as any;");
test(found, syntaxFindings, "client/a.ts", "const a: Map<string, any[]> = b;");
test(found, syntaxFindings, "test/a.ts", "export default 1;");
test(found, syntaxFindings, "test/a.ts", "console.log(1);");
test(found, syntaxFindings, "test/a.ts", 'test.only("a", b);');
test(found, syntaxFindings, "test/a.ts", "debugger;");
test(found, syntaxFindings, "server/store/a.ts", "const now = Date.now();");
test(found, syntaxFindings, "server/store/a.ts", "new Date();");
test(found, syntaxFindings, "server/store/a.ts", "setTimeout(a, 1);");
test(found, syntaxFindings, "server/store/a.ts", "Math.random();");
test(found, syntaxFindings, "server/store/a.ts", "async function a() {}");
test(found, syntaxFindings, "server/store/a.ts", "function a(): Promise<void> {}");

test(fine, syntaxFindings, "server/a.ts", 'const text = "any enum console.log";');
test(fine, syntaxFindings, "server/a.ts", "const one = AbortSignal.any(signals);");
test(fine, syntaxFindings, "server/a.ts", "const many = new Map<string, unknown>();");
test(fine, syntaxFindings, "server/a.ts", "await a; new Date(); Math.random();");
test(fine, syntaxFindings, "server/store/backend.ts", "durable(): Promise<void>;");

test(found, sleepFindings, "test/a.ts", 'import { setTimeout } from "node:timers/promises";');
test(fine, sleepFindings, "client/a.ts", 'import { setTimeout } from "node:timers/promises";');

test(found, headerFindings, "a.ts", 'import "b";');
test(found, headerFindings, "a.ts", "#!/usr/bin/env node\n\nlet a;", 2);
test(found, headerFindings, "a.ts", "// long\n".repeat(13));
test(fine, headerFindings, "a.ts", "#!/usr/bin/env node\n// What it is for.\n");

test(found, lineFindings, "a.ts", `\n// ${"a".repeat(98)}`, 2);
test(fine, lineFindings, "a.ts", `// ${"é".repeat(97)}`);
test(fine, lineFindings, "a.ts", `const a = "${"a".repeat(100)}";`);

test(found, toDoFindings, "a.ts", "let a; // TODO: soon");
test(found, toDoFindings, "a.ts", "/* FIXME */");
test(fine, toDoFindings, "a.ts", '// TODO(#12): soon\nconst a = "TODO";');

test(found, nameFindings, "server/utils.ts", "");
test(found, nameFindings, "client/cli/index.ts", "");
test(found, nameFindings, "test/support/helper.ts", "");
test(fine, nameFindings, "client/index.ts", "");
test(fine, nameFindings, "server/grpc/descriptor-index.ts", "");

test("a file that only tests and unreached files import is found", (t) => {
  const sources = [
    sourceFromText("server/main.ts", 'import "./a.js";'),
    sourceFromText("server/a.ts", 'export * from "./b.js";'),
    sourceFromText("server/b.ts", ""),
    sourceFromText("server/c.ts", 'import "./d.js";'),
    sourceFromText("server/d.ts", ""),
  ];
  const paths = unreachedFindings(sources, ["server/main.ts"]).map(({ path }) => path);
  t.deepEqual(paths, ["server/c.ts", "server/d.ts"]);
});

test("a reason without a giver, a test or a line in the docs is found", (t) => {
  const docs = {
    path: "docs.md",
    text: "| GOOD |\n| UNTESTED |\n| LATER |\n| EARLY |\n| NEVER |\n",
  };
  const given = ["GOOD", "UNTESTED", "UNTOLD", "EARLY"];
  const texts = given.map((reason) => `throw new KvdError("${reason}");`).join("\n");
  const findings = reasonFindings({
    reasons: [...given, "LATER", "NEVER"],
    later: ["LATER", "EARLY"],
    sources: [
      sourceFromText("server/kv/errors.ts", '["NEVER"]'),
      sourceFromText("server/a.ts", `// "NEVER"\n${texts}`),
    ],
    tests: [sourceFromText("test/a.test.ts", 't.is(reason, "GOOD"); t.is(reason, "UNTOLD");')],
    docs,
  });
  const shown = findings.map(({ path, line, text }) => `${path}:${line} ${text.split(" ")[0]}`);
  const wanted = ["docs.md:1 UNTOLD", "server/a.ts:3 UNTESTED", "server/a.ts:5 EARLY"];
  t.deepEqual(shown.sort(), [...wanted, "server/kv/errors.ts:1 NEVER"]);
});

test("a limit without a line in the docs, or with another default, is found", (t) => {
  const limit = { unit: "bytes", help: "" } as const;
  const limits = {
    told: { ...limit, flag: "--told", value: 1024 },
    untold: { ...limit, flag: "--untold", value: 1 },
    stale: { ...limit, flag: "--stale", value: 1.5 * 1024 * 1024 },
    computed: { ...limit, flag: "--computed", value: 0 },
  };
  const text = "| `--told` | 1 KiB |\n| `--stale` | 1 MiB |\n| `--computed` | as it comes |\n";
  const findings = limitFindings(limits, { path: "docs.md", text });
  t.deepEqual(
    findings.map(({ line, text: what }) => `${line} ${what.split(" ")[0]}`),
    ["1 --untold", "2 --stale"],
  );
});

test("quantities look as they do in the docs", (t) => {
  t.is(quantityText(1.5 * 1024 * 1024, "bytes"), "1.5 MiB");
  t.is(quantityText(8192, "bytes"), "8 KiB");
  t.is(quantityText(100_000, "count"), "100,000");
  t.is(quantityText(60_000, "ms"), "60 s");
  t.is(quantityText(300_000, "ms"), "5 min");
});
