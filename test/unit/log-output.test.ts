// Lines of the log on their way to a file, to a pipe that is full, to one that nobody reads.

import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { LogFile } from "../../server/log-file.js";
import { LogOutput } from "../../server/log-output.js";
import { run, temporaryFolder } from "../support/process.js";

const LINE = `${"x".repeat(999)}\n`;

/** Both ends of a pipe, neither of which lets anybody wait. */
async function openPipe(t: ExecutionContext) {
  const path = join(await temporaryFolder(t), "pipe");
  await run(t, ["mkfifo", path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(writer));
  return { reader, writer };
}

/** What is in a pipe now. */
function readAll(fd: number): string {
  const bytes = Buffer.alloc(2 ** 20);
  return bytes.toString("utf8", 0, readSync(fd, bytes));
}

test("lines come in order, also those that are written at the end", async (t) => {
  const path = join(await temporaryFolder(t), "log");
  const fd = openSync(path, "w");
  t.teardown(() => closeSync(fd));
  const output = new LogOutput({ fd });
  output.write("one\n");
  output.write("två\n");
  output.flushSync();
  output.flushSync();
  t.is(readFileSync(path, "utf8"), "one\ntvå\n");
});

test("what nobody reads any more ends at once", async (t) => {
  const { reader, writer } = await openPipe(t);
  const output = new LogOutput({ fd: writer });
  closeSync(reader);
  output.write("one\n");
  output.flushSync();
  output.write("two\n");
  output.flushSync();
  t.pass();
});

test("a full pipe gets what fits, and bounded lines of the rest when it is read", async (t) => {
  const { reader, writer } = await openPipe(t);
  t.teardown(() => closeSync(reader));
  const output = new LogOutput({ fd: writer });
  for (let line = 0; line < 2_000; line += 1) output.write(LINE);
  output.flushSync();
  let read = readAll(reader);
  t.true(read.length > 0 && read.length < LINE.length * 1_000);
  while (read.length < 1_048_000) {
    output.flushSync();
    read += readAll(reader);
  }
  t.is(read, LINE.repeat(1_048));
});

test("a disk that was full gets the lines when it has room", async (t) => {
  if (process.platform !== "linux") {
    t.pass("there is no /dev/full");
    return;
  }
  const path = join(await temporaryFolder(t), "log");
  const full = openSync("/dev/full", "w");
  const fd = openSync(path, "w");
  t.teardown(() => {
    closeSync(full);
    closeSync(fd);
  });
  const target = { fd: full };
  const output = new LogOutput(target);
  output.write("one\n");
  output.flushSync();
  target.fd = fd;
  output.write("two\n");
  output.flushSync();
  t.is(readFileSync(path, "utf8"), "one\ntwo\n");
});

test("a log file that is full makes room for a new one, and only one old one is kept", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "log");
  const file = new LogFile(path, { maxBytes: 3_000 });
  t.teardown(() => closeSync(file.fd));
  const output = new LogOutput(file);
  const lines = Array.from({ length: 11 }, (_, index) => `${index} ${LINE}`);
  for (const line of lines) {
    output.write(line);
    output.flushSync();
  }
  t.deepEqual(readdirSync(folder).sort(), ["log", "log.1"]);
  const kept = readFileSync(`${path}.1`, "utf8") + readFileSync(path, "utf8");
  t.is(kept, lines.slice(6).join(""));
});

test("a log file goes on where it ended", async (t) => {
  const path = join(await temporaryFolder(t), "log");
  for (const line of ["one\n", "two\n"]) {
    const file = new LogFile(path, { maxBytes: 1_000 });
    const output = new LogOutput(file);
    output.write(line);
    output.flushSync();
    closeSync(file.fd);
  }
  t.is(readFileSync(path, "utf8"), "one\ntwo\n");
});
