// Serves single services for unit tests, on a free port, with clients that are closed too.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import {
  type ChannelCredentials,
  type Client,
  credentials,
  type Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { ErrorInfo, Status } from "../../gen/grpc/kvd/v1/error.js";
import { CallServer, type CallServerOptions } from "../../server/grpc/call-server.js";
import type { GrpcService } from "../../server/grpc/service.js";
import { systemClock } from "../../server/lib/clock.js";
import { silentLogger } from "../../server/lib/logger.js";

const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;
const TIME_MAX_MS = 60_000;

type ClientClass<T extends Client> = new (address: string, credentials: ChannelCredentials) => T;

/** The address that serves them until the test ends. */
export async function serveServices(
  t: ExecutionContext,
  services: readonly GrpcService[],
  options: Partial<CallServerOptions> = {},
): Promise<string> {
  return (await serveCalls(t, services, options)).address;
}

export async function serveCalls(
  t: ExecutionContext,
  services: readonly GrpcService[],
  options: Partial<CallServerOptions> = {},
): Promise<{ readonly address: string; readonly calls: CallServer }> {
  const calls = new CallServer({
    services,
    messageMaxBytes: MESSAGE_MAX_BYTES,
    connectionMaxStreams: 100,
    requestMaxMs: TIME_MAX_MS,
    answerMaxMs: TIME_MAX_MS,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  const listener = createServer({ noDelay: true }, (socket) => {
    calls.accept(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(() => {
    listener.close();
    calls.close();
  });
  return { address: `127.0.0.1:${(listener.address() as AddressInfo).port}`, calls };
}

export function connectClient<T extends Client>(
  t: ExecutionContext,
  address: string,
  ClientOf: ClientClass<T>,
): T {
  const client = new ClientOf(address, credentials.createInsecure());
  t.teardown(() => client.close());
  return client;
}

/** What a streaming call gave, and the status that ended it. */
export interface StreamLog<Message> {
  readonly messages: Message[];
  /** Settles with the status once the stream has ended. */
  readonly status: Promise<StatusObject>;
  /** Settles once there are so many messages. @throws when the stream ends before. */
  received(count: number): Promise<readonly Message[]>;
}

interface ReadingCall<Message> {
  on(event: "data", listener: (message: Message) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "status", listener: (status: StatusObject) => void): unknown;
}

export function logStream<Message>(call: ReadingCall<Message>): StreamLog<Message> {
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  let ended: string | undefined;
  const look = () => {
    for (const each of waiting) each();
  };
  call.on("data", (message) => {
    messages.push(message);
    look();
  });
  call.on("error", () => {});
  const status = new Promise<StatusObject>((resolve) => {
    call.on("status", (given) => {
      ended = `${given.code} ${given.details}`;
      resolve(given);
      look();
    });
  });
  const received = (count: number) =>
    new Promise<readonly Message[]>((resolve, reject) => {
      const check = () => {
        if (messages.length >= count) resolve(messages);
        else if (ended !== undefined)
          reject(new Error(`${messages.length} messages, then ${ended}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  return { messages, status, received };
}

/** A unary call of a generated client as a promise. */
export function settle<Response>(
  start: (callback: (error: Error | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

/** The google.rpc.ErrorInfo of a status: the reason and its facts. */
export function errorInfoOf(status: { readonly metadata: Metadata }): ErrorInfo | undefined {
  const [details] = status.metadata.get("grpc-status-details-bin");
  if (!(details instanceof Uint8Array)) return undefined;
  const [detail] = Status.decode(details).details;
  return detail && ErrorInfo.decode(detail.value);
}
