// The package as others get it: packed from a copy of the project, installed into an empty folder
// without what is needed to build it, and used from there.

import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import test, { type ExecutionContext } from "ava";
import { HookScope, NODE, PROJECT, run, startKvd, temporaryFolder } from "../support/process.js";
import { blocksOf, printedBy } from "../support/readme.js";

const DEFAULT_ADDRESS = "127.0.0.1:7856";
const TSC = join(PROJECT, "node_modules/typescript/bin/tsc");
/** What the sources are made of; not what was built before, nor anybody's data. */
const NOT_COPIED = /^(?:node_modules|dist|\.git|kvd-data)$|\.tgz$/;
/** As strict as a program can be, dependencies included. */
const STRICTEST = {
  target: "ES2023",
  lib: ["ES2023", "ESNext.Disposable"],
  types: ["node"],
  module: "NodeNext",
  moduleResolution: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
  skipLibCheck: false,
};

const scope = new HookScope();
/** Where the package is installed. */
let home: string;
let packed: Packed;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

test.before(async () => {
  home = await temporaryFolder(scope);
  packed = await pack(await copyOfTheProject());
  const description = { name: "consumer", private: true, type: "module" };
  await writeFile(join(home, "package.json"), JSON.stringify(description));
  const flags = ["--prefer-offline", "--no-audit", "--no-fund"];
  await npm(home, "install", ...flags, `./${packed.filename}`);
});

test.after.always(() => scope.end());

async function copyOfTheProject(): Promise<string> {
  const folder = join(await temporaryFolder(scope), "project");
  await mkdir(folder);
  const own = (path: string) => !NOT_COPIED.test(path.slice(PROJECT.length).replace(/^\//, ""));
  await cp(PROJECT, folder, { recursive: true, filter: own });
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Packing builds: `prepare` runs. */
async function pack(folder: string): Promise<Packed> {
  const stdout = await npm(folder, "pack", "--json", "--pack-destination", home);
  const told: readonly Packed[] | Readonly<Record<string, Packed>> = JSON.parse(stdout);
  const [first] = Object.values(told);
  if (first === undefined) throw new Error(`npm pack says nothing: ${stdout}`);
  return first;
}

async function npm(folder: string, ...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(scope, ["npm", ...words], { folder });
  if (exitCode !== 0) throw new Error(`npm ${words[0]}: ${stdout}${stderr}`);
  return stdout;
}

const installed = (path: string) => join(home, "node_modules/kvd-grpc", path);
const executable = (name: string) => join(home, "node_modules/.bin", name);

/** Compiles a program there; what the compiler says, and where the program is. */
async function compile(t: ExecutionContext, name: string, text: string) {
  const folder = join(home, name);
  await mkdir(folder);
  await writeFile(join(folder, "program.ts"), `${text}\nexport {};\n`);
  const settings = { compilerOptions: STRICTEST, files: ["program.ts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const { exitCode, stdout } = await run(t, [NODE, TSC, "-p", folder]);
  return { exitCode, stdout, program: join(folder, "program.js") };
}

test("the programs of the README compile with the strictest settings, and run", async (t) => {
  const { address } = await startKvd(t);
  const readme = await readFile(join(PROJECT, "README.md"), "utf8");
  t.true(readme.includes(`npm install ../kvd/${packed.filename}`));
  const programs = blocksOf(readme).filter(({ language }) => language === "ts");
  t.true(programs.length >= 3);
  for (const [index, { text }] of programs.entries()) {
    const here = text.replaceAll(DEFAULT_ADDRESS, address);
    const compiled = await compile(t, `readme-${index}`, here);
    t.is(compiled.exitCode, 0, compiled.stdout);
    const { exitCode, stdout, stderr } = await run(t, [NODE, compiled.program], { folder: home });
    t.is(exitCode, 0, stderr);
    t.deepEqual(stdout.trimEnd().split("\n"), printedBy(text));
  }
});

test("a program that gets the types wrong does not compile", async (t) => {
  const text = `
import { connect } from "kvd-grpc";
import { createServer } from "kvd-grpc/server";
import { KvServiceClient } from "kvd-grpc/stubs";
connect(1);
await createServer({ listen: 1 });
new KvServiceClient(1);
`;
  const { exitCode, stdout } = await compile(t, "wrong", text);
  t.not(exitCode, 0);
  const places = [...stdout.matchAll(/program\.ts\((\d+),\d+\): error/g)].map(([, line]) => line);
  t.deepEqual([...new Set(places)], ["5", "6", "7"]);
});

test("kvd and kvctl run", async (t) => {
  const { address } = await startKvd(t, { kvd: [executable("kvd")] });
  const kvctl = (...words: readonly string[]) =>
    run(t, [executable("kvctl"), "--server", address, ...words], { folder: home });
  t.is((await kvctl("put", "kenya:capital", "Nairobi")).exitCode, 0);
  t.is((await kvctl("get", "kenya:capital")).stdout, "Nairobi\n");
  const { version } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
  for (const name of ["kvd", "kvctl"]) {
    const { stdout } = await run(t, [executable(name), "--version"], { folder: home });
    t.true(stdout.includes(version), stdout);
  }
});

test("the contract is in it, under its name", async (t) => {
  const text = 'console.log(import.meta.resolve("kvd-grpc/proto/kvd/v1/kv.proto"));';
  const { stdout } = await run(t, [NODE, "--input-type=module", "-e", text], { folder: home });
  const proto = await readFile(new URL(stdout.trim()), "utf8");
  t.regex(proto, /^package kvd\.v1;$/m);
});

test("the manual pages are in it, and tell of every verb", async (t) => {
  const { man } = JSON.parse(await readFile(installed("package.json"), "utf8")) as {
    man: readonly string[];
  };
  t.deepEqual(man, ["./dist/man/kvctl.1", "./dist/man/kvd.1"]);
  const [kvctl = "", kvd = ""] = await Promise.all(
    man.map((path) => readFile(installed(path), "utf8")),
  );
  for (const verb of ["get", "bench", "stat", "top"])
    t.regex(kvctl, new RegExp(`^\\.SS ${verb}$`, "m"));
  t.regex(kvd, /^\\fB\\-\\-fsync\\fR/m);
});

test("nothing needless is in it", (t) => {
  t.log(`${packed.files.length} files, ${packed.size} bytes, ${packed.unpackedSize} unpacked`);
  const paths = packed.files.map(({ path }) => path);
  t.deepEqual(
    paths.filter((path) => /(?:^|\/)(?:test|examples|node_modules)\/|\.test\./.test(path)),
    [],
  );
  t.deepEqual(
    paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")),
    [],
  );
  t.true(packed.size < 2.5e6, `${packed.size} bytes`);
});

test("what is bundled in kvd and kvctl is named, with its license", async (t) => {
  const notices = await readFile(installed("dist/bin/NOTICES"), "utf8");
  for (const name of ["@grpc/grpc-js", "commander", "pino", "sorted-btree"]) {
    const { version, license } = JSON.parse(
      await readFile(join(PROJECT, "node_modules", name, "package.json"), "utf8"),
    );
    t.true(notices.includes(`\n${name} ${version}, ${license}\n\n`), name);
  }
  t.regex(notices, /Permission is hereby granted/);
});

test("what is needed to build it is not installed with it", (t) => {
  for (const name of ["typescript", "ava", "@bufbuild/buf", "esbuild", "ts-proto"]) {
    t.false(existsSync(join(home, "node_modules", name)), name);
  }
});

test("each source map of a module is there, and holds its sources", async (t) => {
  const programs = packed.files.filter(
    ({ path }) => path.endsWith(".js") && !path.startsWith("dist/bin/"),
  );
  t.true(programs.length > 100);
  for (const { path } of programs) {
    const [, name] =
      /^\/\/# sourceMappingURL=(.*)$/m.exec(await readFile(installed(path), "utf8")) ?? [];
    t.truthy(name, path);
    const map = installed(normalize(join(path, "..", name ?? "")));
    const { sources, sourcesContent = [] } = JSON.parse(await readFile(map, "utf8"));
    t.is(sourcesContent.length, sources.length, map);
    t.true(
      sourcesContent.every((text: unknown) => typeof text === "string"),
      map,
    );
  }
  const maps = packed.files.filter(({ path }) => path.endsWith(".map"));
  t.is(maps.length, programs.length);
});
