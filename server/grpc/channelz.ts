// grpc.channelz.v1: a server tells of its connections, and of the calls that it has counted.
//
// There is one server, and it is no client: of channels it knows none. Ids are its own, from 1 on.
// See channelz.proto of gRPC, whose definition grpc-js has; it is read when somebody asks for it.

import { isIP, type Socket } from "node:net";
import { getChannelzServiceDefinition, status } from "@grpc/grpc-js";
import type { CallCounter, ConnectionFigures } from "./call-figures.js";
import type { GrpcService, UnaryHandler, UnaryRequest } from "./service.js";

const SERVER_ID = 1;
/** As many as grpc-js gives to who does not say. */
const PAGE_USUAL = 100;
/** Who wants more has to ask again. */
const PAGE_MAX = 1_000;

/** Of all methods: numbers are int64s, and come as texts. */
interface Request {
  readonly channel_id: string;
  readonly subchannel_id: string;
  readonly server_id: string;
  readonly socket_id: string;
  readonly start_channel_id: string;
  readonly start_server_id: string;
  readonly start_socket_id: string;
  readonly max_results: string;
}

export function channelzService(counter: CallCounter): GrpcService {
  const handlers = {
    GetTopChannels: answering((request) => {
      pageOf(request, request.start_channel_id);
      return { channel: [], end: true };
    }),
    GetChannel: answering((request) => none("channel", request.channel_id)),
    GetSubchannel: answering((request) => none("subchannel", request.subchannel_id)),
    GetServers: answering((request) => {
      const { start } = pageOf(request, request.start_server_id);
      return { server: start <= SERVER_ID ? [serverMessage(counter)] : [], end: true };
    }),
    GetServer: answering(({ server_id: id }) =>
      Number(id) === SERVER_ID ? { server: serverMessage(counter) } : none("server", id),
    ),
    GetServerSockets: answering((request) => socketsPage(counter, request)),
    GetSocket: answering(({ socket_id: id }) => {
      for (const figures of counter.connections) {
        if (figures.id === Number(id)) return { socket: socketMessage(figures) };
      }
      return none("socket", id);
    }),
  };
  return { definition: getChannelzServiceDefinition(), handlers };
}

/** What a request is refused with. */
class Refusal extends Error {
  readonly code: status;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

function answering(handle: (request: Request) => object): UnaryHandler<Request, object> {
  return ({ request }: UnaryRequest<Request>, answer) => {
    let response: object;
    try {
      response = handle(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer({ code: error.code, details: error.message });
      return;
    }
    answer(null, response);
  };
}

function none(what: string, id: string): never {
  throw new Refusal(status.NOT_FOUND, `there is no ${what} ${id}`);
}

function pageOf({ max_results: max }: Request, start: string) {
  const size = Number(max);
  if (size < 0) throw new Refusal(status.INVALID_ARGUMENT, "max_results must not be negative");
  return {
    start: Number(start),
    size: size === 0 ? PAGE_USUAL : Math.min(size, PAGE_MAX),
  };
}

function socketsPage(counter: CallCounter, request: Request): object {
  if (Number(request.server_id) !== SERVER_ID) none("server", request.server_id);
  const { start, size } = pageOf(request, request.start_socket_id);
  const refs: object[] = [];
  for (const figures of counter.connections) {
    if (figures.id < start) continue;
    if (refs.length === size) return { socket_ref: refs, end: false };
    refs.push(socketRef(figures));
  }
  return { socket_ref: refs, end: true };
}

function serverMessage({ all }: CallCounter): object {
  return {
    ref: { server_id: SERVER_ID, name: "kvd" },
    data: {
      calls_started: all.started,
      calls_succeeded: all.succeeded,
      calls_failed: all.failed,
      last_call_started_timestamp: timestamp(all.lastStartedMs),
    },
  };
}

function socketRef({ id, connection: { socket } }: ConnectionFigures): object {
  const { remoteAddress = "", remotePort = 0 } = socket;
  const host = isIP(remoteAddress) === 6 ? `[${remoteAddress}]` : remoteAddress;
  return { socket_id: id, name: host === "" ? "" : `${host}:${remotePort}` };
}

function socketMessage(figures: ConnectionFigures): object {
  const { connection } = figures;
  const { socket } = connection;
  return {
    ref: socketRef(figures),
    local: addressMessage(socket.localAddress, socket.localPort),
    remote: addressMessage(socket.remoteAddress, socket.remotePort),
    data: {
      streams_started: figures.started,
      streams_succeeded: figures.succeeded,
      streams_failed: figures.failed,
      last_remote_stream_created_timestamp: timestamp(figures.lastStartedMs),
      messages_received: figures.received,
      last_message_received_timestamp: timestamp(figures.lastReceivedMs),
      messages_sent: figures.sent,
      last_message_sent_timestamp: timestamp(figures.lastSentMs),
      keep_alives_sent: connection.pings,
      local_flow_control_window: { value: connection.windows.send },
      remote_flow_control_window: { value: connection.windows.receive },
    },
  };
}

function timestamp(ms: number | undefined): object | undefined {
  if (ms === undefined) return undefined;
  return { seconds: Math.floor(ms / 1000), nanos: Math.floor(ms % 1000) * 1_000_000 };
}

/** Undefined when the socket is closed already. */
function addressMessage(
  address: Socket["localAddress"],
  port: Socket["localPort"],
): object | undefined {
  if (address === undefined) return undefined;
  return { tcpip_address: { ip_address: addressBytes(address), port } };
}

/** Four bytes or sixteen; an IPv4 address that is written as an IPv6 one has four. */
export function addressBytes(address: string): Buffer {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address.replace(/%.*/, "");
  if (isIP(plain) === 4) return Buffer.from(plain.split(".").map(Number));
  const [left = "", right = ""] = plain.split("::");
  const bytes = Buffer.alloc(16);
  const before = groupsOf(left);
  const after = groupsOf(right);
  for (const [index, group] of before.entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of after.entries()) {
    bytes.writeUInt16BE(group, 2 * (8 - after.length + index));
  }
  return bytes;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
