// The disk of the system, as a data directory uses it: whoever has locked a folder holds it open,
// so that it can be synced when no more files can be opened.

import type { Files } from "../lib/files.js";
import { openFolder, systemFiles } from "../lib/system-files.js";
import { lockFolder } from "./folder-lock.js";

const held = new Map<string, Awaited<ReturnType<typeof openFolder>>>();

export const systemDisk: Files = {
  ...systemFiles,
  async lock(folder) {
    const lock = await lockFolder(folder);
    try {
      held.set(folder, await openFolder(folder));
    } catch (error) {
      await lock.release();
      throw error;
    }
    return {
      async release() {
        const open = held.get(folder);
        held.delete(folder);
        await open?.close();
        await lock.release();
      },
    };
  },
  syncFolder(folder) {
    return held.get(folder)?.sync() ?? systemFiles.syncFolder(folder);
  },
};
