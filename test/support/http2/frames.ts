// Frames of HTTP/2 as bytes, good ones and others, and bytes cut into frames: RFC 9113, sections
// 4.1 and 6. The numbers are written out anew, so that the server's can be wrong.

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

export const CODE = {
  noError: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  calm: 11,
} as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const CLIENT_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEAD_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

type Bytes = Buffer | string;

/** Any frame; `length` lies about the payload. */
export function frame(
  type: number,
  { flags = 0, id = 0, payload = "" as Bytes, length = Buffer.byteLength(payload) } = {},
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, Buffer.from(payload)]);
}

export function data(id: number, payload: Bytes, flags = 0): Buffer {
  return frame(TYPE.data, { id, payload, flags });
}

/** With END_HEADERS. */
export function headers(id: number, payload: Bytes, flags = 0): Buffer {
  return frame(TYPE.headers, { id, payload, flags: flags | END_HEADERS });
}

export function continuation(id: number, payload: Bytes, flags = 0): Buffer {
  return frame(TYPE.continuation, { id, payload, flags });
}

export function settings(...pairs: (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(TYPE.settings, { payload });
}

export function rstStream(id: number, code: number = CODE.cancel): Buffer {
  return frame(TYPE.rstStream, { id, payload: word(code) });
}

export function windowUpdate(id: number, more: number): Buffer {
  return frame(TYPE.windowUpdate, { id, payload: word(more) });
}

export function ping(payload: Bytes, flags = 0): Buffer {
  return frame(TYPE.ping, { payload, flags });
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Takes frames that are whole off the front. */
export function cutFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let rest = bytes;
  while (rest.length >= HEAD_BYTES) {
    const end = HEAD_BYTES + rest.readUIntBE(0, 3);
    if (rest.length < end) break;
    const [type = 0, flags = 0] = rest.subarray(3);
    const payload = rest.subarray(HEAD_BYTES, end);
    frames.push({ type, flags, streamId: rest.readUInt32BE(5), payload });
    rest = rest.subarray(end);
  }
  return { frames, rest };
}
