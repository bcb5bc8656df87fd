// The few frames of HTTP/2 that a load sends, as bytes.
//
// What changes from call to call is the number of the stream, so the headers of a method are
// encoded once, as literals that no table remembers.

export const FRAME_HEAD_BYTES = 9;
/** What every peer takes (RFC 9113, 6.5.2). */
export const DATA_MAX_BYTES = 16_384;
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;
export const SETTING_INITIAL_WINDOW = 4;
export const WINDOW_MAX = 2 ** 31 - 1;
export const WINDOW_DEFAULT = 65_535;

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly length: number;
}

export function frameHead({ type, flags, stream, length }: FrameHead): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head;
}

/** What opens a connection: the preface, and windows so wide that answers never wait for us. */
export function openingBytes(): Buffer {
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(SETTING_INITIAL_WINDOW, 0);
  settings.writeUInt32BE(WINDOW_MAX, 2);
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frameHead({ type: FRAME.settings, flags: 0, stream: 0, length: settings.length }),
    settings,
    windowUpdate(WINDOW_MAX - WINDOW_DEFAULT),
  ]);
}

/** Gives the peer so many more bytes on the connection. */
export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes, 0);
  const head = { type: FRAME.windowUpdate, flags: 0, stream: 0, length: payload.length };
  return Buffer.concat([frameHead(head), payload]);
}

/** The HEADERS of a call of this method, for stream 0: the number is to be written at offset 5. */
export function headersTemplate(path: string): Buffer {
  const block = Buffer.concat([
    // Of the static table (RFC 7541, A): :method POST, :scheme http.
    Buffer.from([0x83, 0x86]),
    literal(Buffer.from([0x04]), path),
    literal(Buffer.from([0x01]), "127.0.0.1"),
    // content-type is number 31: 15 in the prefix, 16 behind it.
    literal(Buffer.from([0x0f, 0x10]), "application/grpc"),
    literal(Buffer.concat([Buffer.from([0x00]), text("te")]), "trailers"),
  ]);
  const head = { type: FRAME.headers, flags: FLAG.endHeaders, stream: 0, length: block.length };
  return Buffer.concat([frameHead(head), block]);
}

function literal(name: Buffer, value: string): Buffer {
  return Buffer.concat([name, text(value)]);
}

/** Not compressed; shorter than 127 bytes, so its length is one byte. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
