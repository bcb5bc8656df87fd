// A server whose answers a test scripts, call by call, for what a real one would not do: never
// answer, answer nonsense, end streams at a chosen moment. And the client on it.

import {
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { encodeMessage } from "../../../client/codec.js";
import { type ConnectOptions, connect, type Kvd } from "../../../client/index.js";
import { ErrorInfo, type ErrorReason, Status } from "../../../gen/grpc/kvd/v1/error.js";
import { KvServiceService } from "../../../gen/grpc/kvd/v1/kv.js";
import {
  type KeepAliveRequest,
  type KeepAliveResponse,
  LeaseServiceService,
} from "../../../gen/grpc/kvd/v1/lease.js";
import {
  MaintenanceServiceService,
  type SnapshotRequest,
  SnapshotResponse,
  StatusResponse,
} from "../../../gen/grpc/kvd/v1/maintenance.js";
import {
  EventType,
  type MultiWatchEnded,
  type MultiWatchRequest,
  type MultiWatchResponse,
  type WatchRequest,
  WatchResponse,
} from "../../../gen/grpc/kvd/v1/watch.js";
import { serveOnGrpcJs } from "../../support/grpc-js-server.js";

export type Answer<Response> = sendUnaryData<Response>;
export type Unary<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  answer: Answer<Response>,
) => void;
export type MultiWatchCall = ServerDuplexStream<MultiWatchRequest, MultiWatchResponse>;
export type KeepAliveCall = ServerDuplexStream<KeepAliveRequest, KeepAliveResponse>;

/** Rpcs by their names, as in the generated services. */
export interface Script {
  readonly kv?: object;
  readonly lease?: object;
  readonly maintenance?: object;
}

/** A rpc of the definition answers raw bytes instead of a message. */
export function rawAnswers(definition: ServiceDefinition, name: string): ServiceDefinition {
  const rpc = definition[name] as ServiceDefinition[string];
  return { ...definition, [name]: { ...rpc, responseSerialize: (bytes: Buffer) => bytes } };
}

export async function serveScript(
  t: ExecutionContext,
  script: Script,
  definition: ServiceDefinition = KvServiceService,
): Promise<string> {
  const status = (_: unknown, answer: Answer<StatusResponse>) =>
    answer(null, StatusResponse.fromPartial({ revision: 1n }));
  return serveOnGrpcJs(t, [
    { definition, handlers: script.kv ?? {} },
    { definition: LeaseServiceService, handlers: script.lease ?? {} },
    { definition: MaintenanceServiceService, handlers: { status, ...script.maintenance } },
  ]);
}

/** A client of the script, closed when the test ends. Scripts answer calls, not batches of them. */
export async function connectScript(
  t: ExecutionContext,
  script: Script,
  options: ConnectOptions = {},
): Promise<Kvd> {
  return connectTo(t, await serveScript(t, script), options);
}

export function connectTo(t: ExecutionContext, address: string, options: ConnectOptions = {}): Kvd {
  const kv = connect(address, { batching: false, ...options });
  t.teardown(() => kv.close());
  return kv;
}

/** A status with a reason, as kvd sends it. */
export function refusal(
  code: status,
  reason: string,
  metadata: Record<string, string> = {},
): { code: status; details: string; metadata: Metadata } {
  const value = encodeMessage(ErrorInfo, { reason, domain: "kvd.v1", metadata });
  const details = [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value }];
  const trailers = new Metadata();
  const packed = encodeMessage(Status, { code, message: "refused", details });
  trailers.set("grpc-status-details-bin", packed);
  return { code, details: "refused", metadata: trailers };
}

/** A watch that was opened on a stream of many. */
export class WatchCall {
  readonly request: WatchRequest;
  readonly stream: MultiWatchCall;
  /** Settles when the client has canceled it, or its stream. */
  readonly canceled: Promise<void>;
  readonly #id: bigint;

  constructor(stream: MultiWatchCall, id: bigint, request: WatchRequest) {
    this.stream = stream;
    this.request = request;
    this.#id = id;
    this.canceled = new Promise((resolve) => {
      stream.on("cancelled", () => resolve());
      stream.on("data", ({ command }: MultiWatchRequest) => {
        if (command?.$case === "cancel" && command.value.id === id) resolve();
      });
    });
  }

  /** False when the stream has enough; drained() waits for it. */
  write(response: WatchResponse, written?: () => void): boolean {
    const step = { $case: "response", value: response } as const;
    return this.stream.write({ id: this.#id, step }, written);
  }

  drained(): Promise<unknown> {
    return new Promise((resolve) => this.stream.once("drain", resolve));
  }

  /** Ends this watch alone. */
  end(reason: ErrorReason, metadata: MultiWatchEnded["metadata"] = {}): void {
    const value = { reason, message: "refused", metadata };
    this.stream.write({ id: this.#id, step: { $case: "ended", value } });
  }

  /** Ends the stream with a status of the server. */
  endStream(error: ReturnType<typeof refusal>): void {
    this.stream.emit("error", error);
  }
}

/** The rpc MultiWatch, from what happens to each watch; `opened` is how many came before. */
export function multiWatch(script: (call: WatchCall, opened: number) => unknown) {
  let opened = 0;
  return (stream: MultiWatchCall) => {
    stream.setMaxListeners(0);
    stream.on("error", () => {});
    stream.on("data", ({ command }: MultiWatchRequest) => {
      if (command?.$case !== "create") return;
      const { id, watch } = command.value;
      if (watch !== undefined) script(new WatchCall(stream, id, watch), opened++);
    });
  };
}

export const UNAVAILABLE = status.UNAVAILABLE;

export function created(revision: number, storeId = "store"): WatchResponse {
  return WatchResponse.fromPartial({ revision, kind: { $case: "created", value: { storeId } } });
}

/** Puts of these keys, all of one revision. */
export function putsOf(
  revision: number,
  keys: readonly string[],
  { fragment = false }: { readonly fragment?: boolean } = {},
): WatchResponse {
  const events = keys.map((value) => ({
    type: EventType.PUT,
    kv: { keyForm: { $case: "key" as const, value }, modRevision: revision },
  }));
  return WatchResponse.fromPartial({
    revision,
    kind: { $case: "events", value: { events, fragment } },
  });
}

/** The puts of these revisions, in one message; of one revision as often as it is named. */
export function puts(
  revisions: readonly number[],
  options: { fragment?: boolean; value?: Uint8Array } = {},
) {
  return WatchResponse.fromPartial({
    revision: revisions.at(-1) ?? 0,
    kind: {
      $case: "events",
      value: {
        fragment: options.fragment ?? false,
        events: revisions.map((modRevision) => ({
          type: 1,
          kv: {
            keyForm: { $case: "key", value: "a" },
            value: options.value ?? new Uint8Array(0),
            modRevision,
          },
          commitTime: { seconds: 1_700_000_000n, nanos: 5_000_000 },
        })),
      },
    },
  });
}

export type SnapshotCall = ServerWritableStream<SnapshotRequest, SnapshotResponse>;

/** The rpc Snapshot that gives these pieces. */
export function snapshotOf(pieces: readonly Partial<SnapshotResponse>[]) {
  return (call: SnapshotCall) => {
    for (const piece of pieces) call.write(SnapshotResponse.fromPartial(piece));
    call.end();
  };
}

/** A promise and the function that settles it. */
export function signalled<T = void>(): { readonly happened: Promise<T>; settle(value: T): void } {
  let settle: (value: T) => void = () => {};
  const happened = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { happened, settle };
}
