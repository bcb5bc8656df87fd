// Answers to ranges and puts of etcd's protocol, straight into their buffer; each with the bytes
// that the generated encoder gives (test/unit/etcd/plain-answers.test.ts). What is not plain, such
// as a key with a lease, is left to that one (bench: etcd-protocol).

import type { KeyValue } from "../../gen/grpc/etcd/kv.js";
import { PutResponse, RangeResponse, ResponseHeader } from "../../gen/grpc/etcd/rpc.js";
import { encodeMessage } from "../grpc/codec.js";
import {
  bytesFieldBytes,
  numberBytes,
  writeBytes,
  writeLength,
  writeNumber,
} from "../grpc/plain-write.js";

/** Headers: who answers is the same in all, and is encoded once. */
class Headers {
  #clusterId = 0n;
  #memberId = 0n;
  #ids: Uint8Array = new Uint8Array(0);

  bytes(header: ResponseHeader): number {
    const { clusterId, memberId } = header;
    if (clusterId !== this.#clusterId || memberId !== this.#memberId) {
      this.#clusterId = clusterId;
      this.#memberId = memberId;
      this.#ids = encodeMessage(ResponseHeader, { ...header, revision: 0n, raftTerm: 0n });
    }
    const numbers = numberBytes(Number(header.revision)) + numberBytes(Number(header.raftTerm));
    return this.#ids.length + numbers;
  }

  /** As field 1; after bytes(), which has told its length. */
  write(buffer: Buffer, header: ResponseHeader, length: number): number {
    let at = writeLength(buffer, 0, 1, length);
    buffer.set(this.#ids, at);
    at = writeNumber(buffer, at + this.#ids.length, 3, Number(header.revision));
    return writeNumber(buffer, at, 4, Number(header.raftTerm));
  }
}

/** Encoders for the answers of one server. */
export function plainAnswers() {
  const headers = new Headers();
  return {
    range(answer: RangeResponse): Buffer {
      const { header, kvs, more } = answer;
      if (header === undefined || !kvs.every(isPlain)) return encodeMessage(RangeResponse, answer);
      const count = Number(answer.count);
      const headBytes = headers.bytes(header);
      let length = bytesFieldBytes(headBytes) + (more ? 2 : 0) + numberBytes(count);
      for (const kv of kvs) length += bytesFieldBytes(keyValueBytes(kv));
      const buffer = Buffer.allocUnsafe(length);
      let at = headers.write(buffer, header, headBytes);
      for (const kv of kvs) at = writeKeyValue(buffer, at, kv);
      at = writeNumber(buffer, at, 3, more ? 1 : 0);
      writeNumber(buffer, at, 4, count);
      return buffer;
    },

    put(answer: PutResponse): Buffer {
      const { header, prevKv } = answer;
      if (header === undefined || prevKv !== undefined) return encodeMessage(PutResponse, answer);
      const headBytes = headers.bytes(header);
      const buffer = Buffer.allocUnsafe(bytesFieldBytes(headBytes));
      headers.write(buffer, header, headBytes);
      return buffer;
    },
  };
}

function isPlain({ lease }: KeyValue): boolean {
  return lease === 0n;
}

function keyValueBytes(kv: KeyValue): number {
  const { key, value, createRevision, modRevision, version } = kv;
  const numbers =
    numberBytes(Number(createRevision)) +
    numberBytes(Number(modRevision)) +
    numberBytes(Number(version));
  const valueBytes = value.length === 0 ? 0 : bytesFieldBytes(value.length);
  return (key.length === 0 ? 0 : bytesFieldBytes(key.length)) + numbers + valueBytes;
}

function writeKeyValue(buffer: Buffer, start: number, kv: KeyValue): number {
  const { key, value } = kv;
  let at = writeLength(buffer, start, 2, keyValueBytes(kv));
  if (key.length > 0) at = writeBytes(buffer, at, 1, key);
  at = writeNumber(buffer, at, 2, Number(kv.createRevision));
  at = writeNumber(buffer, at, 3, Number(kv.modRevision));
  at = writeNumber(buffer, at, 4, Number(kv.version));
  return value.length > 0 ? writeBytes(buffer, at, 5, value) : at;
}
