// Makes the two executables of the package from what the compiler wrote: dist/bin.
//
// Node takes most of the time of a start to find and read hundreds of small files, so each
// executable is one file, with others beside it for what it imports only when it is asked for.
// Blanks go, which take time to read; names and lines stay, so that a stack trace says something.
//
//   npm run build

import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { keptAddresses, LEFT_OUT } from "./kept-addresses.js";
import { noticesOf } from "./notices.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = join(ROOT, "dist/bin");
const EXECUTABLES = { kvd: "dist/server/main.js", kvctl: "dist/client/cli/main.js" };

/** Packages written for `require` find Node's own modules through this one. */
const REQUIRE = `import { createRequire as requireFrom } from "node:module";
const require = requireFrom(import.meta.url);`;

/** The files that went into it. */
async function bundle(name: string, entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { [name]: entry },
    outdir: FOLDER,
    chunkNames: `${name}-[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    banner: { js: REQUIRE },
    minifyWhitespace: true,
    lineLimit: 100,
    external: LEFT_OUT,
    metafile: true,
    logLevel: "warning",
    plugins: [keptAddresses(ROOT)],
  });
  chmodSync(join(FOLDER, `${name}.js`), 0o755);
  return Object.keys(metafile.inputs);
}

rmSync(FOLDER, { recursive: true, force: true });
// Not in one go: kvctl would share files with kvd, and load what it has no use for.
const files: string[] = [];
for (const [name, entry] of Object.entries(EXECUTABLES)) files.push(...(await bundle(name, entry)));
writeFileSync(join(FOLDER, "NOTICES"), noticesOf(ROOT, files));
