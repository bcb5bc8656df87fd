// A real Redis: Debian's redis-server, and enough of its protocol to fill and to ask it.

import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { freePort } from "./free-port.js";
import { ServerProcess } from "./server-process.js";

export const REDIS_MEMORY = ["--appendonly", "no", "--save", ""];
export const REDIS_DURABLE = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];

export async function startRedis(dir: string, flags: readonly string[]): Promise<ServerProcess> {
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const place = ["--dir", dir, "--port", String(port), "--bind", "127.0.0.1"];
  return ServerProcess.start(["redis-server", ...place, ...flags], {
    // It listens before it has loaded its data, and says so.
    portIn: (output) => (output.includes("Ready to accept connections") ? port : undefined),
  });
}

interface Waiting {
  replies: number;
  text: string;
  readonly done: (text: string) => void;
  readonly fail: (error: Error) => void;
}

/** A connection that sends commands and counts replies. */
export class RedisConnection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;

  static open(port: number): Promise<RedisConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RedisConnection(socket)));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.#waiting?.fail(new Error("Redis has closed the connection")));
  }

  /** Sends all of it, and waits for so many lines; what came. One caller at a time. */
  ask(bytes: string | Buffer, lines: number): Promise<string> {
    return new Promise((done, fail) => {
      this.#waiting = { replies: lines, done, fail, text: "" };
      this.#socket.write(bytes);
    });
  }

  /** One page of SCAN: how many keys, and the cursor of the next page. */
  async scan(command: string): Promise<{ readonly lines: number; readonly next: string }> {
    // *2, $length, cursor, *count, and two lines a key.
    let text = await this.ask(command, 4);
    const [, , next = "", count = ""] = text.split("\r\n", 4);
    const lines = Number(count.slice(1));
    let have = text.split("\r\n").length - 1;
    while (have < 4 + 2 * lines) {
      text = await this.ask("", 4 + 2 * lines - have);
      have += text.split("\r\n").length - 1;
    }
    return { lines, next };
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.text += chunk.toString("latin1");
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) waiting.replies -= 1;
    if (waiting.replies > 0) return;
    this.#waiting = undefined;
    waiting.done(waiting.text);
  }
}

/** A command as Redis reads it. */
export function respCommand(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}
