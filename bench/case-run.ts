// Runs one case: gives it servers and folders, collects what it records, and clears up afterwards.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BenchOptions } from "./arguments.js";
import type { Bench, Case, Peer, Series, Shares, Subject } from "./case.js";
import { type KvdOptions, startKvd } from "./servers/kvd.js";
import type { ServerProcess } from "./servers/server-process.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const EXIT_INTERRUPTED = 130;

export interface Surroundings {
  readonly options: BenchOptions;
  readonly peers: ReadonlySet<Peer>;
  /** Where profiles go; undefined: no profiler. */
  readonly profiles: string | undefined;
  readonly say: (text: string) => void;
}

export class CaseRun implements Bench {
  readonly options: BenchOptions;
  readonly series: Series[] = [];
  readonly #case: Case;
  readonly #surroundings: Surroundings;
  readonly #folder: string;
  readonly #servers = new Set<ServerProcess>();

  constructor(one: Case, surroundings: Surroundings) {
    this.#case = one;
    this.#surroundings = surroundings;
    this.options = surroundings.options;
    mkdirSync(this.options.folder, { recursive: true });
    this.#folder = mkdtempSync(join(resolve(this.options.folder), "kvd-bench-"));
  }

  async run(): Promise<readonly Series[]> {
    // Whoever ends the suite does not want its servers to go on.
    const end = () => {
      this.#clearUp().finally(() => process.exit(EXIT_INTERRUPTED));
    };
    for (const signal of SIGNALS) process.once(signal, end);
    try {
      await this.#case.run(this);
      return this.series;
    } finally {
      for (const signal of SIGNALS) process.off(signal, end);
      await this.#clearUp();
    }
  }

  async #clearUp(): Promise<void> {
    await Promise.all([...this.#servers].map((server) => server.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  has(peer: Peer): boolean {
    return this.#surroundings.peers.has(peer);
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  async use(starting: Promise<ServerProcess>): Promise<ServerProcess> {
    const server = await starting;
    this.#servers.add(server);
    return server;
  }

  kvd(options: Partial<KvdOptions> = {}): Promise<ServerProcess> {
    const { profiles } = this.#surroundings;
    const nodeFlags = [...(options.nodeFlags ?? [])];
    if (profiles !== undefined) nodeFlags.push("--cpu-prof", "--cpu-prof-dir", profiles);
    return this.use(startKvd({ node: this.options.node, ...options, nodeFlags }));
  }

  record(name: string, unit: string, value: number, shares?: Shares): void {
    let series = this.series.find((each) => each.name === name);
    if (series === undefined) {
      series = { case: this.#case.name, name, unit, values: [], shares: [] };
      this.series.push(series);
    }
    series.values.push(value);
    if (shares !== undefined) series.shares.push(shares);
  }

  note(text: string): void {
    this.#surroundings.say(`  ${this.#case.name}: ${text}`);
  }

  async inTurn(subjects: Readonly<Record<string, Subject>>): Promise<void> {
    for (let round = 0; round < this.options.rounds; round += 1) {
      for (const measure of Object.values(subjects)) await measure?.(round);
    }
  }
}
