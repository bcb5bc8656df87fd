// Fills a server with keys before something is measured: key 0 to below `keys`, 64 bytes each.

import { etcdTxnMessage, keyAt, putsBody, VALUE } from "../fixtures.js";
import { ETCD, KVD } from "../methods.js";
import { RedisConnection, respCommand } from "../servers/redis.js";
import { H2Connection, type H2Stream } from "./h2-connection.js";
import { MessageSplitter } from "./message-splitter.js";
import { callUnary } from "./unary-call.js";

const MESSAGE_KEYS = 1000;
const IN_FLIGHT = 8;
const ETCD_TXN_KEYS = 100;

/** Over one Pipeline. @throws Error when it breaks off. */
export async function fillKvd(port: number, keys: number): Promise<void> {
  const connection = await H2Connection.open(port);
  let from = 0;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    let stream: H2Stream;
    const splitter = new MessageSplitter();
    const fill = () => {
      for (; from < keys && sent - splitter.messages < IN_FLIGHT; sent += 1) {
        const to = Math.min(keys, from + MESSAGE_KEYS);
        connection.send(stream, putsBody(from, to), { end: false });
        from = to;
      }
      if (splitter.messages === sent) resolve();
    };
    stream = connection.open(KVD.pipeline, {
      onData: (bytes) => {
        splitter.push(bytes);
        fill();
      },
      onEnd: () => reject(new Error(`the server ended the stream after ${from} keys`)),
    });
    fill();
  });
  connection.close();
}

export async function fillRedis(port: number, keys: number): Promise<void> {
  const connection = await RedisConnection.open(port);
  const value = VALUE.toString();
  const step = MESSAGE_KEYS * 5;
  for (let from = 0; from < keys; from += step) {
    const count = Math.min(step, keys - from);
    const commands = Array.from({ length: count }, (_, at) =>
      respCommand(["SET", keyAt(from + at), value]),
    );
    const answers = await connection.ask(commands.join(""), count);
    if (answers.length !== count * "+OK\r\n".length) throw new Error(answers.slice(0, 1000));
  }
  connection.close();
}

export async function fillEtcd(port: number, keys: number): Promise<void> {
  const connection = await H2Connection.open(port);
  const lane = async (lane: number) => {
    for (let from = lane * ETCD_TXN_KEYS; from < keys; from += IN_FLIGHT * ETCD_TXN_KEYS) {
      const puts = Math.min(ETCD_TXN_KEYS, keys - from);
      await callUnary(connection, ETCD.txn, etcdTxnMessage(from, { puts, ranges: 0 }));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, number) => lane(number)));
  connection.close();
}
