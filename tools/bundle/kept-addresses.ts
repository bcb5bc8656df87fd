// Files that look for others beside them find them from a bundle, too.
//
// In a bundle `import.meta.url` is the bundle's own, and `__dirname` is nothing. So a file of ours
// gets the address that it had, relative to the bundle, and a file of a package the folder where
// that package is installed, which is known only when it runs. From there it also requires what is
// left out of the bundle.

import { readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import type { Plugin } from "esbuild";

const OF_A_PACKAGE = /^.*[\\/]node_modules[\\/]/;

/** What grpc-js takes to serve channelz, and not before: a sixth of all code. */
export const LEFT_OUT = ["@grpc/proto-loader"];

/** The folder of the bundles is two levels below `root`. */
export function keptAddresses(root: string): Plugin {
  return {
    name: "kept-addresses",
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        if (OF_A_PACKAGE.test(path)) return { contents: withFolder(text, path) };
        return { contents: withAddress(text, relative(root, path)) };
      });
    },
  };
}

/** `path` is from the root of the project. */
export function withAddress(text: string, path: string): string {
  const fromBundle = JSON.stringify(`../../${path.split(sep).join("/")}`);
  return text.replace(/\bimport\.meta\.url\b/g, `new URL(${fromBundle}, import.meta.url).href`);
}

/** Found when it is used, and not before: most of what mentions it is never called. */
export function withFolder(text: string, path: string): string {
  const file = JSON.stringify(path.replace(OF_A_PACKAGE, "").split(sep).join("/"));
  // In brackets the bundler does not take it for something to bundle.
  const found = `(0, require.resolve)(${file})`;
  return LEFT_OUT.reduce(
    (result, name) =>
      result.replaceAll(
        `require('${name}')`,
        () => `require("node:module").createRequire(${found})("${name}")`,
      ),
    text.replace(/\b__dirname\b/g, () => `require("node:path").dirname(${found})`),
  );
}
