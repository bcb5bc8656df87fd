// The file of contexts: what is written is read, what people write wrongly is told with its place.

import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import {
  checkContextName,
  fileFromText,
  readContextFile,
  writeContextFile,
} from "../../../client/cli/contexts/context-file.js";
import { UsageError } from "../../../client/cli/failure.js";
import { contextPath, stateFolder } from "../../../client/cli/user-folders.js";
import { temporaryFolder } from "../../support/process.js";

test("what is written is read again, and only its owner may read it", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "kvctl", "contexts.toml");
  t.is(readContextFile(path).contexts.size, 0);
  const contexts = new Map([["a.b-c", { server: 'unix:/tmp/"odd"\nname', output: "json" }]]);
  const file = { current: "a.b-c", previous: "default", contexts };
  await writeContextFile(path, file);
  t.deepEqual(readContextFile(path), file);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(join(folder, "kvctl")), ["contexts.toml"]);
});

test("a link in the place of the file stays one", async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, "kept.toml"), "");
  symlinkSync("kept.toml", join(folder, "contexts.toml"));
  const contexts = new Map([["a", { server: "h:1" }]]);
  const path = join(folder, "contexts.toml");
  await writeContextFile(path, { current: "default", previous: "default", contexts });
  t.regex(readFileSync(join(folder, "kept.toml"), "utf8"), /h:1/);
});

const refused = test.macro({
  exec(t, text: string, says: RegExp) {
    const error = t.throws(() => fileFromText(text, "/f"), { instanceOf: UsageError });
    t.regex(error?.message ?? "", says);
    t.false(error?.message.includes("\n"));
    t.true(error?.message.startsWith("/f"));
  },
  title: (_, text: string) => `a file that holds ${JSON.stringify(text)} is refused`,
});

test(refused, 'current = "a"\nserver =', /line 2/);
test(refused, "current = 7", /current/);
test(refused, "previous = []", /previous/);
test(refused, 'curent = "a"', /curent/);
test(refused, "contexts = 7", /\[contexts\.NAME\]/);
test(refused, 'contexts.a = "h:1"', /\[contexts\.a\]/);
test(refused, '[contexts.a]\nsevrer = "h:1"', /sevrer.*server/);
test(refused, "[contexts.a]\ntimeout = 5", /timeout/);
test(refused, '[contexts.default]\nserver = "h:1"', /default/);
test(refused, '[contexts."a b"]\nserver = "h:1"', /a b/);

test("names of contexts can be typed", (t) => {
  for (const name of ["a", "prod", "eu-1.b_2", "x".repeat(63)]) checkContextName(name);
  for (const name of ["", "-", "-a", ".a", "a b", "a/b", "é", "default", "x".repeat(64)]) {
    t.throws(() => checkContextName(name), { instanceOf: UsageError }, name);
  }
});

test("folders are those of the XDG variables, which must be absolute", (t) => {
  const home = { HOME: "/h" };
  t.is(stateFolder(home), "/h/.local/state");
  t.is(stateFolder({ ...home, XDG_STATE_HOME: "/s" }), "/s");
  t.is(stateFolder({ ...home, XDG_STATE_HOME: "s" }), "/h/.local/state");
  t.is(contextPath(home), "/h/.config/kvctl/contexts.toml");
  t.is(contextPath({ ...home, XDG_CONFIG_HOME: "/c" }), "/c/kvctl/contexts.toml");
});
