// The file that tells other programs where a server listens: the port, or the path of its socket,
// and a newline. It appears whole or not at all, once the server listens.

import { rename, rm, writeFile } from "node:fs/promises";
import { parseListenAddress } from "./listen-address.js";

/** `address` is the server's first real address. */
export async function writePortFile(path: string, address: string): Promise<void> {
  const bound = parseListenAddress(address);
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${bound.kind === "tcp" ? bound.port : bound.path}\n`);
  await rename(temporary, path);
}

/** Does nothing when it is gone. */
export async function removePortFile(path: string): Promise<void> {
  await rm(path, { force: true });
}
