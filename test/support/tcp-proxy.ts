// A TCP proxy between a client and a server, which does what networks do: cuts connections, at once
// or after so many bytes more, in the middle of whatever they carry; lets them stall; delays what
// passes. It knows nothing of what passes.

import {
  type AddressInfo,
  connect as connectTo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import type { Scope } from "./process.js";

/** What passes from the server to the client, by when it may go on. */
interface Delayed {
  readonly chunk: Buffer;
  readonly dueMs: number;
}

export class TcpProxy {
  /** Of new connections. */
  targetPort: number;
  /** How long each chunk to the client is held back. */
  delayMs = 0;
  /** Bytes that have passed to clients. */
  bytesDown = 0;
  /** Bytes that have come from clients. */
  bytesUp = 0;
  /** Connections that have ended. */
  ended = 0;
  #server: Server | undefined;
  #port = 0;
  readonly #pairs = new Set<Pair>();
  #stalled = false;
  readonly #watchers = new Set<() => void>();

  constructor(targetPort: number) {
    this.targetPort = targetPort;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  async listen(): Promise<void> {
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
    const server = this.#server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Takes no connection any more; those that are there stay. listen() takes them again. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Ends all connections; answers how many there were. */
  cut(): number {
    const count = this.#pairs.size;
    for (const pair of [...this.#pairs]) pair.destroy();
    return count;
  }

  /** Ends each connection after it has carried so many bytes more to its client. */
  cutAfter(bytes: number): void {
    for (const pair of this.#pairs) pair.cutAfter(bytes);
  }

  /** Nothing passes in either direction, and nobody is told. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) pair.pause();
  }

  /** Everything passes again. */
  flow(): void {
    this.#stalled = false;
    for (const pair of this.#pairs) pair.resume();
  }

  /** Waits until it holds; it is looked at whenever something passes, begins or ends. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** Also ends what is there. */
  close(): void {
    this.refuse();
    this.cut();
  }

  #accept(client: Socket): void {
    const pair = new Pair(client, connectTo({ port: this.targetPort, host: "127.0.0.1" }), {
      delayMs: () => this.delayMs,
      onDown: (count) => {
        this.bytesDown += count;
        this.#tell();
      },
      onUp: (count) => {
        this.bytesUp += count;
        this.#tell();
      },
      onClosed: () => {
        if (this.#pairs.delete(pair)) this.ended += 1;
        this.#tell();
      },
    });
    this.#pairs.add(pair);
    if (this.#stalled) pair.pause();
    this.#tell();
  }

  #tell(): void {
    const told = [...this.#watchers];
    this.#watchers.clear();
    for (const tell of told) tell();
  }
}

interface PairEvents {
  delayMs(): number;
  onDown(count: number): void;
  onUp(count: number): void;
  onClosed(): void;
}

/** A connection of a client, and the one of ours to the server. */
class Pair {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #events: PairEvents;
  readonly #delayed: Delayed[] = [];
  #timer: NodeJS.Timeout | undefined;
  #leftBytes = Number.POSITIVE_INFINITY;

  constructor(client: Socket, server: Socket, events: PairEvents) {
    this.#client = client;
    this.#server = server.setNoDelay(true);
    this.#events = events;
    client.on("data", (chunk) => {
      server.write(chunk);
      events.onUp(chunk.length);
    });
    server.on("data", (chunk) => this.#down(chunk));
    for (const socket of [client, server]) {
      socket.on("error", () => {});
      socket.on("close", () => this.destroy());
    }
  }

  cutAfter(bytes: number): void {
    this.#leftBytes = Math.min(this.#leftBytes, bytes);
  }

  pause(): void {
    this.#client.pause();
    this.#server.pause();
  }

  resume(): void {
    this.#client.resume();
    this.#server.resume();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#delayed.length = 0;
    this.#client.destroy();
    this.#server.destroy();
    this.#events.onClosed();
  }

  #down(chunk: Buffer): void {
    const delayMs = this.#events.delayMs();
    if (delayMs === 0 && this.#delayed.length === 0) {
      this.#pass(chunk);
    } else {
      this.#delayed.push({ chunk, dueMs: performance.now() + delayMs });
      this.#timer ??= setTimeout(() => this.#passDue(), delayMs);
    }
  }

  #passDue(): void {
    this.#timer = undefined;
    const now = performance.now();
    while ((this.#delayed[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= now) {
      const { chunk } = this.#delayed.shift() as Delayed;
      this.#pass(chunk);
    }
    const [next] = this.#delayed;
    if (next !== undefined) {
      this.#timer ??= setTimeout(() => this.#passDue(), Math.max(1, next.dueMs - now));
    }
  }

  #pass(chunk: Buffer): void {
    const count = Math.min(chunk.length, this.#leftBytes);
    this.#leftBytes -= count;
    if (count === chunk.length) {
      this.#client.write(chunk);
    } else {
      this.#client.end(chunk.subarray(0, count));
      this.#server.destroy();
    }
    this.#events.onDown(count);
  }
}

/** A proxy in front of a port, gone with the test. */
export async function openProxy(scope: Scope, targetPort: number): Promise<TcpProxy> {
  const proxy = new TcpProxy(targetPort);
  await proxy.listen();
  scope.teardown(() => proxy.close());
  return proxy;
}
