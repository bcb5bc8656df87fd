// An ext4 file system of its own in a file, mounted through a loop device: it can be small, and the
// power can be cut under it. Needs root, on Linux.
//
// cut() is what a power cut is to a file system: from then on nothing reaches the device, not even
// what the system still holds. What is found after the next mount() is what was synced, and as much
// of the rest as the system happened to have written. Whoever writes there has to be stopped first:
// a sync that meets the cut may succeed, and what it synced is gone (17 of 300, on Linux 6.18). No
// cut of a real power supply lets anybody be told of that.

import { execFile, spawnSync } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { HookScope, type Scope, temporaryFolder } from "./process.js";

const MIB = 1024 * 1024;

/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, on the folder that is given. */
const SHUTDOWN = `use Fcntl;
sysopen(my $folder, $ARGV[0], O_RDONLY) or die "open: $!";
my $how = pack("I", 2);
ioctl($folder, 0x8004587d, $how) or die "ioctl: $!";`;

export class MountedImage {
  /** Where it is mounted. */
  readonly folder: string;
  readonly #image: string;
  #mounted = false;

  private constructor(folder: string) {
    this.#image = join(folder, "image");
    this.folder = join(folder, "mounted");
  }

  static async make(scope: Scope, { bytes }: { readonly bytes: number }): Promise<MountedImage> {
    const image = new MountedImage(await temporaryFolder(scope));
    await mkdir(image.folder);
    const file = await open(image.#image, "w");
    await file.truncate(bytes);
    await file.close();
    await command("mkfs.ext4", "-q", "-F", image.#image);
    await image.mount();
    scope.teardown(() => (image.#mounted ? image.unmount() : undefined));
    return image;
  }

  async mount(): Promise<void> {
    await command("mount", "-o", "loop", this.#image, this.folder);
    this.#mounted = true;
  }

  /** Nobody may have a file open there. */
  async unmount(): Promise<void> {
    await command("umount", this.folder);
    this.#mounted = false;
  }

  async cut(): Promise<void> {
    await command("perl", "-e", SHUTDOWN, this.folder);
  }
}

/** Without a scope: it is needed in teardowns. */
async function command(file: string, ...words: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  await promisify(execFile)(file, words, { env });
}

/** Why this machine has none; undefined if it has. */
export async function whyNoImage(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "root";
  if (spawnSync("perl", ["-e", "1"]).status !== 0) return "perl";
  const scope = new HookScope();
  try {
    const image = await MountedImage.make(scope, { bytes: 8 * MIB });
    await image.cut();
    return undefined;
  } catch {
    return "a loop device with ext4";
  } finally {
    await scope.end();
  }
}
