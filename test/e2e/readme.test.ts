// The README is true: its tour is run command by command, its programs are compiled and run, and
// what it says of the package is so.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { folderOfKvctl } from "../support/kvctl-folder.js";
import {
  BUNDLED_KVD,
  COMPILED,
  COUNTRIES,
  NODE,
  PROJECT,
  type RunningServer,
  run,
  startKvd,
} from "../support/process.js";
import { blocksOf, consoleSteps, printedBy } from "../support/readme.js";

const DEFAULT_ADDRESS = "127.0.0.1:7856";

async function blocks(language: string): Promise<readonly string[]> {
  const document = await readFile(join(PROJECT, "README.md"), "utf8");
  return blocksOf(document).flatMap((block) => (block.language === language ? [block.text] : []));
}

test("the commands of the tour print what stands there", async (t) => {
  const { address } = await startKvd(t, { kvd: [NODE, BUNDLED_KVD] });
  const path = `${await folderOfKvctl(t)}:${process.env["PATH"]}`;
  const environment = { PATH: path, KVCTL_SERVER: address };
  const steps = (await blocks("console")).flatMap(consoleSteps);
  t.true(steps.length >= 15);
  for (const { command, prints } of steps) {
    const here = command.replaceAll(DEFAULT_ADDRESS, address);
    const { stdout, stderr } = await run(t, ["sh", "-c", here], { environment });
    t.is(stdout, prints, `$ ${command}\n${stderr}`);
  }
});

test("the programs compile, and print what stands there", async (t) => {
  const server = await startKvd(t);
  const programs = await blocks("ts");
  t.true(programs.length >= 2);
  for (const program of programs) {
    const { exitCode, stdout, stderr } = await runProgram(t, program, server);
    const told = printedBy(program);
    t.is(exitCode, 0, stdout + stderr);
    t.true(told.length > 0);
    t.deepEqual(stdout.trimEnd().split("\n"), told);
  }
});

/** Compiled as a program of its own, in a folder from which the packages are found. */
async function runProgram(t: ExecutionContext, program: string, { address }: RunningServer) {
  const folder = await mkdtemp(join(COMPILED, "readme-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const text = program
    .replaceAll('"kvd-grpc/server"', '"../server/server.js"')
    .replaceAll('"kvd-grpc/stubs"', '"../client/stubs.js"')
    .replaceAll('"kvd-grpc"', '"../client/index.js"')
    .replaceAll(DEFAULT_ADDRESS, address);
  await writeFile(join(folder, "program.ts"), `${text}\nexport {};\n`);
  const settings = { extends: join(PROJECT, "tsconfig.json"), files: ["program.ts"] };
  const compilerOptions = {
    rootDir: "..",
    outDir: "..",
    noUnusedLocals: false,
    declaration: false,
  };
  const config = JSON.stringify({ ...settings, include: [], compilerOptions });
  await writeFile(join(folder, "tsconfig.json"), config);
  const tsc = join(PROJECT, "node_modules/.bin/tsc");
  const compiled = await run(t, [NODE, tsc, "-p", folder]);
  if (compiled.exitCode !== 0) return compiled;
  return run(t, [NODE, join(folder, "program.js")]);
}

test("the example with the countries does what it says", async (t) => {
  const { address } = await startKvd(t);
  const { exitCode, stdout, stderr } = await run(t, [NODE, COUNTRIES, address]);
  t.is(exitCode, 0, stderr);
  const shown = (await blocks("text")).find((text) => text.startsWith("loaded "));
  t.is(stdout, shown ?? "");
});

test("npm start serves where the README says", async (t) => {
  const { scripts } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
  t.is(scripts.start, "node dist/bin/kvd.js");
  const { stdout } = await run(t, [NODE, BUNDLED_KVD, "--help"]);
  t.regex(stdout, new RegExp(`default:\\s+${DEFAULT_ADDRESS}`));
});

test("what the package exports and installs is there", async (t) => {
  const { exports, bin, files } = JSON.parse(await readFile(join(PROJECT, "package.json"), "utf8"));
  const named = [exports["."], exports["./server"], exports["./stubs"]].flatMap(
    ({ types, default: code }) => [types, code],
  );
  for (const path of [...named, ...Object.values<string>(bin)]) {
    t.true(existsSync(path.replace(/^(?:\.\/)?dist\//, COMPILED)), path);
  }
  for (const path of files.filter((name: string) => !/^!?dist/.test(name))) {
    t.true(existsSync(join(PROJECT, path)), path);
  }
  for (const path of Object.values<string>(bin)) {
    const text = await readFile(path.replace(/^dist\//, COMPILED), "utf8");
    t.true(text.startsWith("#!/usr/bin/env node\n"), path);
  }
});

test("every link of the documents leads somewhere", async (t) => {
  const documents = [
    "README.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/guarantees.md",
    "docs/etcd.md",
  ];
  const references = ["docs/reference/client.md", "docs/reference/proto.md"];
  const examples = ["python", "go", "shell"].map((language) => `examples/${language}/README.md`);
  for (const path of [
    ...documents,
    "docs/format.md",
    "docs/hacking.md",
    ...references,
    ...examples,
  ]) {
    const text = await readFile(join(PROJECT, path), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      t.true(existsSync(join(PROJECT, path, "..", target)), `${path}: ${target}`);
    }
  }
});
