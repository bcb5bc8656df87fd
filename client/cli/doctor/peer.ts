// What is at the other end of an address, found out by asking for a page over HTTP/1: kvd answers
// that too, with its time; what is no kvd shows by what it says instead.

import { connect } from "node:net";
import { socketOf } from "../daemon/probe.js";

export interface Peer {
  readonly speaks: "HTTP" | "TLS" | "nothing" | "something else";
  /** What it says that the time is, with how exactly that is known. */
  readonly clock: { readonly aheadMs: number } | undefined;
}

const WAIT_MS = 2_000;
const ANSWER_MAX_BYTES = 16 * 1024;
const QUESTION = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** Never rejects: what breaks says nothing. */
export async function lookAtPeer(address: string): Promise<Peer> {
  const asked = Date.now();
  const answer = await answerOf(address);
  const text = answer.toString("latin1");
  const date = /^date: (.*)$/im.exec(text)?.[1];
  const told = date === undefined ? Number.NaN : Date.parse(date);
  return {
    speaks: speechOf(answer, text),
    clock: Number.isNaN(told) ? undefined : { aheadMs: aheadMs(told, asked, Date.now()) },
  };
}

function answerOf(address: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect(socketOf(address), () => socket.write(QUESTION));
    const timer = setTimeout(() => socket.destroy(), WAIT_MS);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > ANSWER_MAX_BYTES) socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
  });
}

const TLS_RECORDS = [0x15, 0x16];

function speechOf(answer: Buffer, text: string): Peer["speaks"] {
  const [first] = answer;
  if (first === undefined) return "nothing";
  if (text.startsWith("HTTP/")) return "HTTP";
  return TLS_RECORDS.includes(first) ? "TLS" : "something else";
}

/**
 * By how much another clock is certainly ahead, or behind if negative: it tells whole seconds, and
 * told them at some moment between two of ours.
 */
export function aheadMs(toldMs: number, askedMs: number, answeredMs: number): number {
  if (toldMs > answeredMs) return toldMs - answeredMs;
  const latest = toldMs + 999;
  return latest < askedMs ? latest - askedMs : 0;
}
