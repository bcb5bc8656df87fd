// A home of a test's own for kvctl: its contexts, its daemon's data, and the port of that. The
// daemon ends with the test, whatever happens.

import { join } from "node:path";
import {
  BUNDLED_KVCTL,
  HookScope,
  type Kvctl,
  kvctlFor,
  type RunOptions,
  type Scope,
  temporaryFolder,
} from "./process.js";
import { reservedPort } from "./reserved-port.js";

export interface DaemonHome {
  /** Of kvctl, so that it finds no server but the one of this home. */
  readonly environment: Readonly<Record<string, string>>;
  readonly port: number;
  /** "127.0.0.1:PORT". */
  readonly address: string;
  readonly config: string;
  /** Where the daemon keeps what it has. */
  readonly state: string;
  readonly kvctl: Kvctl;
}

export async function daemonHome(scope: Scope): Promise<DaemonHome> {
  const folder = await temporaryFolder(scope);
  // kvctl has to know it before the daemon listens on it.
  const port = await reservedPort(scope);
  const environment = {
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_STATE_HOME: join(folder, "state"),
    KVCTL_PORT: String(port),
    KVCTL_AUTOSTART: "1",
  };
  const of = (owner: Scope) => (options: RunOptions) =>
    kvctlFor(owner, undefined, BUNDLED_KVCTL).with({
      ...options,
      environment: { ...environment, ...options.environment },
    });
  const kvctl = of(scope);
  scope.teardown(async () => {
    const last = new HookScope();
    await of(last)({})("serve", "--stop");
    await last.end();
  });
  return {
    environment,
    port,
    address: `127.0.0.1:${port}`,
    config: join(folder, "config/kvctl"),
    state: join(folder, "state/kvd"),
    kvctl: Object.assign(kvctl({}), { with: kvctl }),
  };
}
