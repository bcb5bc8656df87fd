// Plants one fault after the other in a copy of the sources, runs the tests there, and names the
// first that catches it. Ends with 1 when one is not caught, or its place is not found any more.
//
//   npm run test:planted            all of them
//   npm run test:planted -- prefix  those with the word in their name

import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { FAULTS, type Fault } from "./faults.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** What the tests run from; a fault is planted in the source and compiled into `dist`. */
const COPIED = ["package.json", "gen", "server", "dist"];
/** Without a wire in between, where the fault is below it: they are done in seconds. */
const BELOW_THE_WIRE = ["unit/store/*", "property/*", "conformance/memory"];
/** On a disk that forgets. */
const ON_DISK = ["fault/crash-points", "fault/torn-tail", "fault/damage", "fault/failing-disk"];
const OF_DISK = ["server/wal/", "server/engines/recovery.ts", "server/engines/saved-store.ts"];
/** Frames, windows and calls, whatever is called. */
const ON_THE_WIRE = ["unit/http2/*", "unit/grpc/*"];
const OF_THE_WIRE = ["server/http2/", "server/grpc/"];
const THROUGH_THE_WIRE = ["unit/rpc/*", "conformance/remote"];
/** As the reporter for people says it; the one for TAP ends in the middle of some thrown errors. */
const FAILED = /^ +\S+ \[fail\]: (.*)$|^ +(\S.* exited due to SIG\w+)$/;
const COUNTED = /^ *\d+ tests? (passed|failed)/;
/** A fault may make a test go round for ever: then nothing is caught. */
const DEADLINE_MS = 300_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function suitesOf(file: string): readonly string[] {
  if (OF_DISK.some((start) => file.startsWith(start))) return ON_DISK;
  if (OF_THE_WIRE.some((start) => file.startsWith(start))) return ON_THE_WIRE;
  return file.startsWith("server/rpc/") ? THROUGH_THE_WIRE : BELOW_THE_WIRE;
}

/** The first test that fails there, or undefined when all of them pass; ends the others at once. */
async function firstFailure(folder: string, files: readonly string[]): Promise<string | undefined> {
  const cli = join(ROOT, "node_modules/ava/entrypoints/cli.mjs");
  const child = spawn(process.execPath, [cli, ...files], {
    cwd: folder,
    env: { ...process.env, FORCE_COLOR: "0" },
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own: a worker that goes round for ever does not hear that it should stop.
    detached: true,
  });
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  const deadline = setTimeout(end, DEADLINE_MS);
  let counted = false;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const failed = FAILED.exec(line);
      if (failed !== null) {
        end();
        return failed[1] ?? failed[2];
      }
      counted ||= COUNTED.test(line);
    }
  } finally {
    clearTimeout(deadline);
  }
  if (!counted) throw new Error("the tests did not come to an end");
  return undefined;
}

/** The first test that fails with a fault; throws when it cannot be planted. */
async function catcher(folder: string, fault: Fault): Promise<string | undefined> {
  const text = readFileSync(join(folder, fault.file), "utf8");
  const places = text.split(fault.from).length - 1;
  if (places !== 1) throw new Error(`its place is there ${places} times in ${fault.file}`);
  const compiled = join(folder, "dist", fault.file.replace(/\.ts$/, ".js"));
  const sound = readFileSync(compiled);
  const faulty = text.replace(fault.from, () => fault.to);
  try {
    writeFileSync(compiled, transformSync(faulty, { loader: "ts", target: "es2023" }).code);
    const files = suitesOf(fault.file).map((name) => `dist/test/${name}.test.js`);
    return await firstFailure(folder, files);
  } finally {
    writeFileSync(compiled, sound);
  }
}

/** Plants a fault and says what came of it; whether it was caught. */
async function report(folder: string, fault: Fault): Promise<boolean> {
  try {
    const title = await catcher(folder, fault);
    say(title === undefined ? `NOT CAUGHT: ${fault.name}` : `caught: ${fault.name}\n  by ${title}`);
    return title !== undefined;
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
  let caught = 0;
  for (const fault of faults) if (await report(folder, fault)) caught += 1;
  say(`${caught} of ${faults.length} planted faults are caught`);
  process.exitCode = caught === faults.length && faults.length > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
