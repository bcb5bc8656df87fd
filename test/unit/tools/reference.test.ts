// The generated references: what is read from declarations, and that the committed pages hold every
// name and no dead link.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import test from "ava";
import * as client from "../../../client/index.js";
import { declarationsOf, reExportsOf } from "../../../tools/reference/declarations.js";
import { slugsOf } from "../../../tools/reference/page.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");
const headingsOf = (page: string) =>
  [...page.replace(/^```[^`]*^```$/gm, "").matchAll(/^#+ (.*)$/gm)].map(
    ([, heading = ""]) => heading,
  );

test("an interface has a comment, and members with theirs", (t) => {
  const text = `import type { B } from "./b.js";
/**
 * What it is.
 *
 * @throws TypeError when it
 *   is not.
 */
export interface A extends B {
    /** How many. @throws RangeError above 9. */
    readonly count: number;
    close(): Promise<{
        readonly done: true;
    }>;
}
`;
  const [found, ...rest] = declarationsOf(text);
  t.is(rest.length, 0);
  t.like(found, { name: "A", doc: "What it is.\n\nThrows TypeError when it\nis not." });
  t.deepEqual(found?.members, [
    { doc: "How many.\n\nThrows RangeError above 9.", code: "readonly count: number;" },
    { doc: "", code: "close(): Promise<{\n    readonly done: true;\n}>;" },
  ]);
});

test("what is private, and what is not exported, is left out", (t) => {
  const text = `declare const hidden: 1;
/** Shown. */
export declare class A {
    #private;
    private b;
    constructor(c: number);
}
export {};
`;
  const [found, ...rest] = declarationsOf(text);
  t.is(rest.length, 0);
  t.is(found?.doc, "Shown.");
  t.deepEqual(found?.members, [{ doc: "", code: "constructor(c: number);" }]);
});

test("a union keeps the comments of its parts, and code in a comment its indent", (t) => {
  const union = `type Step =
/** First. */
{
    readonly kind: "first";
}
/** Then. */
 | {
    readonly kind: "then";
};`;
  const comment = "/**\n * Made so:\n *\n * ```ts\n * if (a) {\n *   b();\n * }\n * ```\n */\n";
  const [step, make] = declarationsOf(
    `export ${union}\n${comment}export declare function make(): Step;\n`,
  );
  t.is(step?.code, union);
  t.is(step?.members, undefined);
  t.is(make?.code, "function make(): Step;");
  t.is(make?.doc, "Made so:\n\n```ts\nif (a) {\n  b();\n}\n```");
});

test("exports of other files are found, by name and all", (t) => {
  const text = 'export { a, type B, } from "./one.js";\nexport type * from "./two.js";\n';
  t.deepEqual(reExportsOf(text), [
    { path: "one", names: ["a", "B"] },
    { path: "two", names: undefined },
  ]);
});

test("a heading that comes again has a link of its own", (t) => {
  t.deepEqual(slugsOf(["compare", "Compare", "kvd/v1/kv.proto"]), [
    "compare",
    "compare-1",
    "kvdv1kvproto",
  ]);
});

test("the client's reference has every name that can be imported", (t) => {
  const headings = headingsOf(read("docs/reference/client.md"));
  for (const name of [...Object.keys(client), "Kvd", "Watch", "createServer"]) {
    t.true(headings.includes(name), name);
  }
});

test("the contract's reference has every service, method, message, field and enum", (t) => {
  const page = read("docs/reference/proto.md");
  const headings = headingsOf(page);
  for (const file of readdirSync(`${ROOT}proto/kvd/v1`)) {
    const proto = read(`proto/kvd/v1/${file}`);
    for (const [, name = ""] of proto.matchAll(/^(?:message|enum|service) (\w+)/gm)) {
      t.true(headings.includes(name), name);
    }
    for (const [, name] of proto.matchAll(/^ +rpc (\w+)/gm)) {
      t.true(page.includes(`- **${name}**: `), name);
    }
    for (const [, name] of proto.matchAll(/^ +[\w.<>, ]+ (\w+) = \d+;$/gm)) {
      t.true(page.includes(`\`${name}\` | `), name);
    }
  }
});

test("every link within a page leads to a heading", (t) => {
  for (const name of ["client", "proto", "kvctl", "kvd"]) {
    const page = read(`docs/reference/${name}.md`);
    const slugs = slugsOf(headingsOf(page));
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, link = ""]) => link);
    t.true(links.length > 4);
    t.deepEqual(
      links.filter((link) => !slugs.includes(link)),
      [],
    );
  }
});
