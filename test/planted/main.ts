// Plants one fault after the other in a copy of the sources, runs the tests there, and names those
// that catch it. Ends with 1 when one is not caught, or when its place is not found any more.
//
//   npm run test:planted            all of them
//   npm run test:planted -- prefix  those with the word in their name

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FAULTS, type Fault } from "./faults.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const COPIED = [
  "package.json",
  "tsconfig.json",
  "gen",
  "server",
  "client",
  "test",
  "examples",
  "tools",
  "bench",
];
/** Without a wire in between, where the fault is below it: they are done in seconds. */
const BELOW_THE_WIRE = ["unit/store/*", "property/*", "conformance/memory"];
/** On a disk that forgets. */
const ON_DISK = ["fault/crash-points", "fault/torn-tail", "fault/damage", "fault/failing-disk"];
const OF_DISK = ["server/wal/", "server/engines/recovery.ts", "server/engines/saved-store.ts"];
const THROUGH_THE_WIRE = ["unit/rpc/*", "conformance/remote"];
const SHOWN = 3;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function run(folder: string, script: string, ...words: string[]) {
  const path = join(ROOT, "node_modules", script);
  const environment = { ...process.env, FORCE_COLOR: "0" };
  const options = { cwd: folder, env: environment, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...words], options);
  return { status, stdout, stderr };
}

function suitesOf(file: string): readonly string[] {
  if (OF_DISK.some((start) => file.startsWith(start))) return ON_DISK;
  return file.startsWith("server/rpc/") ? THROUGH_THE_WIRE : BELOW_THE_WIRE;
}

/** The titles of the tests that fail with a fault; throws when it cannot be planted. */
function catchers(folder: string, fault: Fault): readonly string[] {
  const path = join(folder, fault.file);
  const text = readFileSync(path, "utf8");
  const places = text.split(fault.from).length - 1;
  if (places !== 1) throw new Error(`its place is there ${places} times in ${fault.file}`);
  writeFileSync(
    path,
    text.replace(fault.from, () => fault.to),
  );
  try {
    const build = run(folder, "typescript/bin/tsc", "-p", ".");
    if (build.status !== 0) throw new Error(`it does not compile: ${build.stdout}`);
    const files = suitesOf(fault.file).map((name) => `dist/test/${name}.test.js`);
    // The reporter for people: the one for TAP ends in the middle of some thrown errors.
    const { stdout, stderr } = run(folder, "ava/entrypoints/cli.mjs", ...files);
    if (!/^ *\d+ tests? (passed|failed)/m.test(stdout)) {
      throw new Error(`the tests did not run: ${stderr}`);
    }
    return [...stdout.matchAll(/^ +\S+ \[fail\]: (.*)$/gm)].map((match) => match[1] ?? "");
  } finally {
    writeFileSync(path, text);
  }
}

/** Plants a fault and says what came of it; whether it was caught. */
function report(folder: string, fault: Fault): boolean {
  try {
    const titles = catchers(folder, fault);
    const caught = titles.length > 0;
    say(`${caught ? `caught by ${titles.length}` : "NOT CAUGHT"}: ${fault.name}`);
    for (const title of titles.slice(0, SHOWN)) say(`  ${title}`);
    return caught;
  } catch (error) {
    say(`NOT PLANTED: ${fault.name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

const wanted = process.argv[2] ?? "";
const faults = FAULTS.filter(({ name }) => name.includes(wanted));
const folder = mkdtempSync(join(tmpdir(), "kvd-planted-"));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const caught = faults.filter((fault) => report(folder, fault));
  say(`${caught.length} of ${faults.length} planted faults are caught`);
  process.exitCode = caught.length === faults.length && faults.length > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
