// HTTP/1 as a client speaks it: whole answers, lines of a stream, and bytes of the test's own.

import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { ExecutionContext } from "ava";

export interface HttpQuestion {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** On a connection of its own. */
export async function ask(address: string, question: HttpQuestion): Promise<HttpAnswer> {
  const { response } = await begin(address, question);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

async function begin(address: string, { body, ...question }: HttpQuestion) {
  const [host, port] = address.split(":");
  const sent = request({ ...question, host, port, agent: false });
  sent.end(body);
  const [response] = await once(sent, "response");
  return { sent, response };
}

const JSON_HEADERS = { "content-type": "application/json" };

/** What is posted as JSON; a text or bytes go out as they are. */
export function postQuestion(path: string, body: unknown = {}): HttpQuestion {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  return {
    method: "POST",
    path,
    headers: JSON_HEADERS,
    body: isRaw ? body : JSON.stringify(body),
  };
}

/** The status and what was answered, as JSON. */
export async function post(address: string, path: string, body?: unknown) {
  const { status, text } = await ask(address, postQuestion(path, body));
  return { status, answer: JSON.parse(text) };
}

/** The lines of a stream, as JSON; its connection is cut when the test ends. */
export async function postStream(
  t: ExecutionContext,
  address: string,
  path: string,
  body?: unknown,
) {
  const { sent, response } = await begin(address, postQuestion(path, body));
  t.teardown(() => sent.destroy());
  response.on("error", () => {});
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    return done === true ? undefined : JSON.parse(value);
  };
  return { status: response.statusCode, response, next, hangUp: () => sent.destroy() };
}

export interface RawPeer {
  readonly socket: Socket;
  /** All that came until the connection was closed. */
  readonly all: Promise<string>;
  /** Settles with what has come once it holds this. */
  until(part: RegExp): Promise<string>;
}

export async function connectRaw(t: ExecutionContext, address: string): Promise<RawPeer> {
  const [host, port] = address.split(":");
  const socket = connect({ host: host ?? "", port: Number(port), noDelay: true });
  t.teardown(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
  });
  const all = new Promise<string>((resolve) => {
    socket.once("close", () => resolve(text));
  });
  const until = (part: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        if (!part.test(text)) return;
        socket.off("data", look);
        resolve(text);
      };
      socket.on("data", look);
      look();
    });
  return { socket, all, until };
}
