// What keeps a server's store, for people: "memory" alone would frighten who wants it kept.

import type { Status } from "../index.js";

export function engineText({
  engine,
  fsyncPolicy,
}: Pick<Status, "engine" | "fsyncPolicy">): string {
  if (engine !== "memory") return engine;
  return fsyncPolicy === "memory" ? "memory, nothing on disk" : "memory, with a log on disk";
}
