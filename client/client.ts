// connect(), and the connection that it returns.

import type { ConnectOptions, Kvd } from "./types.js";

export function connect(_address: string, _options: ConnectOptions = {}): Kvd {
  throw new Error("connect() is not there yet");
}
