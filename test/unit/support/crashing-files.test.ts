// The disk that forgets: what it keeps, what it may lose, and that its crashes and faults come
// where they are asked for.

import test from "ava";
import { writeAll } from "../../../server/lib/files.js";
import { DataError } from "../../../server/wal/data-error.js";
import { CrashingFiles } from "../../support/crashing-files.js";
import { CUT_MODES } from "../../support/disk-file.js";

const A = "/data/a";
const B = "/data/b";
const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

async function diskWithFolder(): Promise<CrashingFiles> {
  const files = new CrashingFiles();
  await files.makeFolder("/data");
  await files.syncFolder("/data");
  return files;
}

/** A file whose name is durable, and its bytes. */
async function diskWith(text: string) {
  const files = await diskWithFolder();
  const file = await files.open(A, "new");
  await writeAll(file, Buffer.from(text), 0);
  await file.sync();
  await files.syncFolder("/data");
  return { files, file };
}

const contentOf = (files: CrashingFiles) =>
  files.paths().map((path) => `${path} ${files.bytesAt(path)}`);

/** All that a power cut can leave, over many seeds. */
const afterCuts = (files: CrashingFiles) =>
  [...new Set(SEEDS.map((seed) => contentOf(files.powerCut({ seed })).join()))].sort();

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

test("what is synced, bytes and name, survives every power cut", async (t) => {
  const { files } = await diskWith("kept");
  for (const mode of CUT_MODES) {
    t.deepEqual(contentOf(files.powerCut({ seed: 1, mode })), ["/data/a kept"]);
  }
});

test("a new file whose name is not synced is gone, though its bytes were synced", async (t) => {
  const files = await diskWithFolder();
  const file = await files.open(A, "new");
  await file.write(Buffer.from("x"), 0);
  await file.sync();
  t.deepEqual(afterCuts(files), ["", "/data/a x"]);
  t.deepEqual(contentOf(files.powerCut({ seed: 1, mode: "dropped" })), []);
});

test("a rename that is not synced may come back as the old name", async (t) => {
  const { files } = await diskWith("x");
  await files.rename(A, B);
  t.deepEqual(afterCuts(files), ["/data/a x", "/data/b x"]);
  await files.syncFolder("/data");
  t.deepEqual(afterCuts(files), ["/data/b x"]);
});

test("of names that are not synced a beginning is kept, in order", async (t) => {
  const { files } = await diskWith("old");
  const file = await files.open(B, "new");
  await file.write(Buffer.from("new"), 0);
  await file.sync();
  await files.rename(B, A);
  await files.remove(A);
  t.deepEqual(afterCuts(files), ["", "/data/a new", "/data/a old", "/data/a old,/data/b new"]);
});

test("a folder is there once a folder below it is synced", async (t) => {
  const files = new CrashingFiles();
  await files.makeFolder("/data/deep");
  const dropped = () => files.powerCut({ seed: 1, mode: "dropped" });
  await t.throwsAsync(dropped().names("/data"), { code: "ENOENT" });
  await files.open("/data/deep/x", "new");
  await files.syncFolder("/data/deep");
  t.deepEqual(await dropped().names("/data"), ["deep"]);
  t.deepEqual(dropped().paths(), ["/data/deep/x"]);
});

const KINDS: Record<string, string> = { "-": "dropped", x: "applied", "\0": "zeroed" };

function kindOf(sector: string): string {
  const first = sector.charAt(0);
  return (sector === first.repeat(sector.length) && KINDS[first]) || "trashed";
}

test("each new sector that is not synced is applied, zeroed or trashed, or not there", async (t) => {
  const { files, file } = await diskWith("");
  await file.write(Buffer.alloc(1024, "x"), 0);
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const bytes = files.powerCut({ seed }).bytesAt(A).toString("latin1");
    if (bytes.length === 0) continue;
    t.is(bytes.length, 1024);
    seen.add(`${kindOf(bytes.slice(0, 512))} ${kindOf(bytes.slice(512))}`);
  }
  t.is(seen.size, 9);
});

test("a sector that the disk has is replaced whole or not", async (t) => {
  const { files, file } = await diskWith("-".repeat(1024));
  await file.write(Buffer.alloc(1024, "x"), 0);
  const seen = new Set<string>();
  for (const seed of SEEDS) {
    const bytes = files.powerCut({ seed }).bytesAt(A).toString("latin1");
    seen.add(`${kindOf(bytes.slice(0, 512))} ${kindOf(bytes.slice(512))}`);
  }
  const two = ["applied", "dropped"];
  const due = two.flatMap((one) => two.map((other) => `${one} ${other}`));
  t.deepEqual([...seen].sort(), due.sort());
});

test("a length that is not synced is the old one or a later one", async (t) => {
  const { files, file } = await diskWith("12345678");
  await file.truncate(4);
  await file.write(Buffer.from("xx"), 4);
  const lengths = SEEDS.map((seed) => files.powerCut({ seed }).bytesAt(A).length);
  t.deepEqual([...new Set(lengths)].sort(), [4, 6, 8]);
});

test("a sync makes durable what was written before it began, and no more", async (t) => {
  const { files, file } = await diskWith("");
  const hold = files.faults.hold("sync");
  await file.write(Buffer.from("a"), 0);
  const synced = file.sync();
  await file.write(Buffer.from("b"), 1);
  hold.release();
  await synced;
  t.is(files.powerCut({ seed: 1, mode: "dropped" }).bytesAt(A).toString(), "a");
});

test("what a killed process wrote is there, and a power cut later still takes it", async (t) => {
  const { files, file } = await diskWith("a");
  await file.write(Buffer.from("b"), 1);
  const after = files.kill();
  t.is(after.bytesAt(A).toString(), "ab");
  t.is(after.powerCut({ seed: 1, mode: "dropped" }).bytesAt(A).toString(), "a");
  const again = files.kill();
  const other = await again.open(A, "write");
  await other.sync();
  t.is(again.powerCut({ seed: 1, mode: "dropped" }).bytesAt(A).toString(), "ab");
});

test("from the crash on nothing comes back", async (t) => {
  const { files, file } = await diskWith("a");
  files.crashAt({ step: files.steps + 2, moment: "before" });
  await file.write(Buffer.from("b"), 1);
  let settled = 0;
  const count = () => {
    settled += 1;
  };
  file.sync().then(count, count);
  await files.crashed;
  file.read(Buffer.alloc(1), 0).then(count, count);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  t.is(settled, 0);
  t.is(files.powerCut({ seed: 1, mode: "dropped" }).bytesAt(A).toString(), "a");
});

test("a crash during a write leaves some of it, and during a sync all", async (t) => {
  const { files, file } = await diskWith("");
  files.crashAt({ step: files.steps + 1, moment: "during" });
  file.write(Buffer.from("abcdefgh"), 0);
  await files.crashed;
  t.regex(files.kill().bytesAt(A).toString(), /^a/);

  const other = await diskWith("");
  await other.file.write(Buffer.from("ab"), 0);
  other.files.crashAt({ step: other.files.steps + 1, moment: "during" });
  other.file.sync();
  await other.files.crashed;
  t.is(other.files.powerCut({ seed: 1, mode: "dropped" }).bytesAt(A).toString(), "ab");
});

test("every change is a step with a number and a name", async (t) => {
  const { files, file } = await diskWith("a");
  await file.size();
  t.is(files.steps, 6);
  t.deepEqual(files.log.slice(2), [
    "3 create /data/a",
    "4 write /data/a",
    "5 sync /data/a",
    "6 syncFolder /data",
  ]);
});

test("after a sync that failed no later one brings the bytes back", async (t) => {
  const { files, file } = await diskWith("");
  await file.write(Buffer.alloc(4096, "x"), 0);
  files.faults.fail({ of: "sync", code: "EIO" });
  await t.throwsAsync(file.sync(), { code: "EIO" });
  await file.sync();
  const [only, ...others] = afterCuts(files);
  t.deepEqual(others, []);
  t.not(only, `/data/a ${"x".repeat(4096)}`);
  t.is(files.bytesAt(A).toString(), "x".repeat(4096));
});

test("the nth operation of a kind fails, where it is asked to", async (t) => {
  const { files, file } = await diskWith("");
  files.faults.fail({ of: "write", code: "ENOSPC", nth: 2, times: 2, in: "/a" });
  const outcomes: unknown[] = [];
  for (let nth = 1; nth <= 4; nth += 1) {
    outcomes.push(await file.write(Buffer.from("x"), 0).catch(codeOf));
  }
  t.deepEqual(outcomes, [1, "ENOSPC", "ENOSPC", 1]);
});

test("a short write is followed by the rest, and on a full disk by the error", async (t) => {
  const { files, file } = await diskWith("");
  files.faults.shortenWrite({ bytes: 3 });
  t.is(await file.write(Buffer.alloc(10), 0), 3);
  t.is(await file.write(Buffer.alloc(7), 3), 7);
  files.faults.capacityBytes = 2048;
  t.is(await file.write(Buffer.alloc(4096), 10), 2038);
  t.is(codeOf(await file.write(Buffer.alloc(1), 2048).catch((error) => error)), "ENOSPC");
  t.is(await file.write(Buffer.alloc(100), 0), 100);
});

test("what is removed gives its room back once it is closed", async (t) => {
  const { files, file } = await diskWith("x".repeat(2048));
  files.faults.capacityBytes = 2048;
  const other = await files.open(B, "new");
  const write = async () => other.write(Buffer.alloc(1), 0).catch(codeOf);
  t.is(await write(), "ENOSPC");
  await files.remove(A);
  t.is(await write(), "ENOSPC");
  t.false(await file.isAt(A));
  await file.close();
  t.is(await write(), 1);
  await other.truncate(0);
  t.is(files.takenBytes, 0);
  t.is(files.openFiles, 1);
});

test("a disk that can only be read refuses every change", async (t) => {
  const { files, file } = await diskWith("x");
  files.faults.isReadOnly = true;
  const changes = [file.sync(), files.remove(A), files.open(B, "new"), file.truncate(0)];
  for (const change of changes) await t.throwsAsync(change, { code: "EROFS" });
  t.is(await file.read(Buffer.alloc(2), 0), 1);
});

test("one holder a folder, until it lets go or its process dies", async (t) => {
  const { files } = await diskWith("");
  const lock = await files.lock("/data");
  await t.throwsAsync(files.lock("/data"), { instanceOf: DataError });
  await lock.release();
  await files.lock("/data");
  await lock.release();
  await t.throwsAsync(files.lock("/data"), { instanceOf: DataError });
  await t.notThrowsAsync(files.kill().lock("/data"));
});

test("files of a folder that is lost are not in place", async (t) => {
  const { files, file } = await diskWith("x");
  t.true(await file.isAt(A));
  files.forget("/data");
  t.false(await file.isAt(A));
  await t.throwsAsync(files.open(B, "new"), { code: "ENOENT" });
  t.deepEqual(files.powerCut({ seed: 1 }).paths(), []);
});

test("what a crash would leave is changed without the disk that lives on", async (t) => {
  const { files } = await diskWith("x");
  const copy = files.kill();
  copy.setBytes(A, Buffer.from("y"));
  t.deepEqual(contentOf(copy), ["/data/a y"]);
  t.deepEqual(contentOf(copy.powerCut({ seed: 1, mode: "dropped" })), ["/data/a y"]);
  t.deepEqual(contentOf(files), ["/data/a x"]);
});
