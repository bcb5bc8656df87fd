// kvctl snapshot save against a served store: the file, what is told of it, and what is refused.

import { createHash } from "node:crypto";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import test from "ava";
import fc from "fast-check";
import { run } from "../../../client/cli/program.js";
import { SnapshotHash } from "../../../client/cli/snapshot-hash.js";
import { kvctl as kvctlWith, rows, shell } from "./shell.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

test("the hash at the end is checked however the bytes arrive", (t) => {
  const content = fc.uint8Array({ maxLength: 100 });
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
  const flipped = fc.option(fc.nat());
  fc.assert(
    fc.property(content, sizes, flipped, (bytes, [size = 1, ...more], flip) => {
      const file = Buffer.concat([bytes, sha256(bytes)]);
      if (flip !== null) file[flip % file.length] = (file[flip % file.length] ?? 0) ^ 1;
      const hash = new SnapshotHash();
      for (let at = 0, turn = 0; at < file.length; turn += 1) {
        const end = at + ([size, ...more][turn % (more.length + 1)] ?? 1);
        hash.add(file.subarray(at, end));
        at = end;
      }
      t.is(hash.end(), flip === null ? sha256(bytes).toString("hex") : undefined);
    }),
  );
});

test("what is shorter than a hash is no snapshot", (t) => {
  const hash = new SnapshotHash();
  hash.add(new Uint8Array(31));
  t.is(hash.end(), undefined);
});

test("save writes the store to a file, and tells what it is", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  for (const key of ["a", "b"]) await kv.put(key, key);
  const file = join(folder, "store.kvd");
  const { exitCode, stdout, stderr } = await kvctl("snapshot", "save", file);
  t.is(exitCode, 0, stderr);
  const bytes = await readFile(file);
  const hash = bytes.subarray(-32).toString("hex");
  t.is(stdout, `revision 3, ${bytes.length} bytes, sha256 ${hash}\n`);
  t.is(sha256(bytes.subarray(0, -32)).toString("hex"), hash);
  t.deepEqual(await readdir(folder), ["store.kvd"]);
  const other = join(folder, "other.kvd");
  const told = rows(await kvctl("snapshot", "save", other, "--output", "jsonl"));
  const size = (await readFile(other)).length;
  t.like(told[0] as object, { file: other, revision: 3, bytes: size });
  t.is((await kvctl("snapshot", "save", other, "--force", "--quiet")).stdout, "");
});

test("a file that is there is kept without --force, and until the new one is whole", async (t) => {
  const { kv, folder, kvctl } = await shell(t);
  await kv.put("a", "1");
  const [file, link] = [join(folder, "store.kvd"), join(folder, "link.kvd")];
  await writeFile(file, "before");
  await symlink(file, link);
  for (const path of [file, link]) t.is((await kvctl("snapshot", "save", path)).exitCode, 2);
  const nowhere = ["snapshot", "save", file, "--force", "--server", "127.0.0.1:1"];
  t.is((await kvctl(...nowhere)).exitCode, 3);
  t.is(await readFile(file, "utf8"), "before");
  t.is((await kvctl("snapshot", "save", link, "--force")).exitCode, 0);
  t.not(await readFile(file, "utf8"), "before");
  t.deepEqual((await readdir(folder)).sort(), ["link.kvd", "store.kvd"]);
});

test("a save that is interrupted leaves no file", async (t) => {
  const { kv, folder, server } = await shell(t);
  await kv.put("a", "1");
  const argv = ["snapshot", "save", join(folder, "store.kvd"), "--server", server];
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const signal = AbortSignal.abort(130);
  t.is(await run({ argv, environment: {}, stdout, stderr, signal }), 130);
  t.deepEqual(await readdir(folder), []);
});

test("what snapshot cannot mean ends with 2, before any server is asked", async (t) => {
  const environment = { KVCTL_SERVER: "127.0.0.1:1" };
  const cases: [string[], RegExp][] = [
    [["snapshot"], /it has save/],
    [["snapshot", "sav", "f"], /it has save/],
    [["snapshot", "save"], /needs a FILE/],
    [["snapshot", "save", ""], /needs the name/],
    [["snapshot", "save", "a", "b"], /"b" is too much/],
    [["snapshot", "save", "-", "--force"], /--force/],
    [["snapshot", "save", "-", "--output", "json"], /not json/],
    [["snapshot", "save", "f", "--output", "raw"], /save -/],
    [["snapshot", "status", "f"], /kvd snapshot status/],
    [["snapshot", "restore", "f"], /kvd restore/],
  ];
  for (const [argv, says] of cases) {
    const { exitCode, stdout, stderr } = await kvctlWith(argv, environment);
    t.is(exitCode, 2, argv.join(" "));
    t.is(stdout, "");
    t.regex(stderr, says);
  }
});
