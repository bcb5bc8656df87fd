// What a bundled file finds beside it, and what is told of the packages in a bundle.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { withAddress, withFolder } from "../../../tools/bundle/kept-addresses.js";
import { noticesOf } from "../../../tools/bundle/notices.js";
import { temporaryFolder } from "../../support/process.js";

test("a file of ours keeps its address", (t) => {
  const text = 'const FILE = new URL("../data", import.meta.url);';
  t.is(
    withAddress(text, "dist/server/grpc/a.js"),
    'const FILE = new URL("../data", new URL("../../dist/server/grpc/a.js", import.meta.url).href);',
  );
});

test("a file of a package finds its folder where the package is installed", (t) => {
  const file = '(0, require.resolve)("@a/b/src/c.js")';
  for (const path of [
    "/p/node_modules/@a/b/src/c.js",
    "/p/node_modules/d/node_modules/@a/b/src/c.js",
  ]) {
    t.is(withFolder("load(__dirname)", path), `load(require("node:path").dirname(${file}))`);
    t.is(
      withFolder("require('@grpc/proto-loader')", path),
      `require("node:module").createRequire(${file})("@grpc/proto-loader")`,
    );
  }
  t.is(withFolder("my__dirname", "/p/node_modules/a/b.js"), "my__dirname");
});

test("each package is named once, with the texts of its license", async (t) => {
  const root = await temporaryFolder(t);
  const put = async (name: string, license: object, texts: Readonly<Record<string, string>>) => {
    const folder = join(root, "node_modules", name);
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name, version: "1.2.3", ...license }),
    );
    for (const [file, text] of Object.entries(texts)) await writeFile(join(folder, file), text);
  };
  await put("b", { license: "MIT" }, { "LICENSE.md": "May b be free.", "README.md": "b" });
  await put("@s/a", { license: "ISC" }, { LICENSE: "May a be free.", NOTICE: "a is by A." });
  await put("c", {}, {});
  const files = ["node_modules/b/x.js", "node_modules/b/lib/y.js", "node_modules/@s/a/x.js"];
  const notices = noticesOf(root, ["dist/server/main.js", ...files]);
  const [, a = "", b = "", ...others] = notices.split(/^-+$/m);
  t.deepEqual(others, []);
  t.is(a.trim(), "@s/a 1.2.3, ISC\n\nMay a be free.\n\na is by A.");
  t.is(b.trim(), "b 1.2.3, MIT\n\nMay b be free.");
  t.throws(() => noticesOf(root, ["node_modules/c/x.js"]), { message: /c 1\.2\.3/ });
});
