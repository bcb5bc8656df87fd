// Other languages: the commands of each example's README are run as they stand, all but the
// installing, and print what the README shows.
//
// Python and Go, with their stubs' generators, are wanted by KVD_TEST_LANGUAGES=1 only, which CI
// sets after it has installed them; there a missing one is a failure. The shell needs no more than
// `npm install`.

import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import test, { type ExecutionContext } from "ava";
import { PROJECT, run, startKvd, temporaryFolder } from "../support/process.js";
import { blocksOf } from "../support/readme.js";

const DEFAULT_ADDRESS = "127.0.0.1:7856";
/** Refused at once: nobody listens on the first port. */
const NOBODY = "127.0.0.1:1";

const wanted = process.env["KVD_TEST_LANGUAGES"] === "1";

/** The example in a folder of its own, with as much of the project around it as it reaches for. */
async function copyOf(t: ExecutionContext, language: string): Promise<string> {
  const root = await temporaryFolder(t);
  const folder = join(root, "examples", language);
  await mkdir(folder, { recursive: true });
  await cp(join(PROJECT, "examples", language), folder, {
    recursive: true,
    filter: (path) => !path.endsWith("/build"),
  });
  for (const name of ["proto", "buf.yaml"]) {
    await cp(join(PROJECT, name), join(root, name), { recursive: true });
  }
  await symlink(join(PROJECT, "node_modules"), join(root, "node_modules"));
  return folder;
}

/** What the README says to run, and what it shows. */
async function told(folder: string): Promise<{ commands: string; prints: string }> {
  const blocks = blocksOf(await readFile(join(folder, "README.md"), "utf8"));
  const text = (language: string) => blocks.find((block) => block.language === language)?.text;
  const commands = text("sh")?.replace(/^sudo apt-get (?:.*\\\n)*.*\n/m, "");
  return { commands: `set -e\n${commands}`, prints: text("text") ?? "" };
}

const prints = test.macro(async (t, language: string) => {
  const folder = await copyOf(t, language);
  const { commands, prints } = await told(folder);
  const { address } = await startKvd(t);
  const here = commands.replace(DEFAULT_ADDRESS, address);
  t.not(here, commands);
  const { exitCode, stdout, stderr } = await run(t, ["sh", "-c", here], { folder });
  t.is(exitCode, 0, stderr);
  t.is(stdout, prints);
});

const fails = test.macro(async (t, language: string) => {
  const folder = await copyOf(t, language);
  const { commands } = await told(folder);
  const nowhere = commands.replace(DEFAULT_ADDRESS, NOBODY);
  const { exitCode, stdout, stderr } = await run(t, ["sh", "-c", nowhere], { folder });
  t.not(exitCode, 0);
  t.is(stdout, "");
  t.regex(stderr, /refused|unavailable|failed/i);
});

for (const { language, here } of [
  { language: "python", here: wanted },
  { language: "go", here: wanted },
  { language: "shell", here: true },
]) {
  const declare = here ? test : test.skip;
  const note = here ? "" : "NOT RUN, for want of KVD_TEST_LANGUAGES=1: ";
  declare(`${note}the ${language} example prints what its README shows`, prints, language);
  declare(`${note}the ${language} example fails where no server is`, fails, language);
}
