// A data directory and the servers that run in it one after the other, each ended as a test likes.
// At every start it looks at what may never happen: another store, a compact revision that goes
// down, a newest revision that does.

import { connect } from "../../client/index.js";
import type { Commit, Journal } from "./history/history.js";
import { readJournal } from "./history/journal.js";
import { type RunningServer, type Scope, type ServerSetup, startKvd } from "./process.js";

export class ServerLife {
  /** What was wrong at some start. */
  readonly problems: string[] = [];
  readonly startsMs: number[] = [];
  readonly #scope: Scope;
  readonly #setup: ServerSetup;
  readonly #commits: Commit[] = [];
  #server: RunningServer | undefined;
  #storeId: string | undefined;
  #compactRevision = 0;
  #revision = 0;

  constructor(scope: Scope, setup: ServerSetup & { readonly dataDir: string }) {
    this.#scope = scope;
    this.#setup = setup;
  }

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error("it was not started");
    return this.#server;
  }

  get address(): string {
    return this.server.address;
  }

  /** The newest revision when it was started last. */
  get revision(): number {
    return this.#revision;
  }

  /** All commits up to then, each as it was told when it was new. */
  get journal(): Journal {
    return { commits: this.#commits, revision: this.#revision };
  }

  /** With what this start has besides what all have. */
  async start(own: ServerSetup = {}): Promise<void> {
    const began = performance.now();
    const args = [...(this.#setup.args ?? []), ...(own.args ?? [])];
    this.#server = await startKvd(this.#scope, { ...this.#setup, ...own, args });
    this.startsMs.push(performance.now() - began);
    const kv = connect(this.address, { retry: false });
    const { storeId, compactRevision, revision } = await kv.maintenance.status();
    if (storeId !== (this.#storeId ?? storeId)) this.problems.push(`another store: ${storeId}`);
    this.#mayNotGoDown("the compact revision", compactRevision, this.#compactRevision);
    this.#mayNotGoDown("the newest revision", revision, this.#revision);
    this.#storeId = storeId;
    this.#compactRevision = compactRevision;
    // Leases end meanwhile: it may be further than the status.
    const journal = await readJournal(kv, this.#revision + 1);
    this.#commits.push(...journal.commits);
    this.#revision = journal.revision;
    await kv.close();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.server.process.kill();
  }

  /** The commits as they are told now, all of them: must be what they were when they were new. */
  async wholeJournal(): Promise<Journal> {
    const kv = connect(this.address);
    const whole = await readJournal(kv);
    await kv.close();
    const old = whole.commits.filter(({ revision }) => revision <= this.#revision);
    const at = old.findIndex((commit, index) => !isSame(commit, this.#commits[index]));
    if (at >= 0 || old.length !== this.#commits.length) {
      const [now, then] = [old[at], this.#commits[at]].map((commit) => JSON.stringify(commit));
      this.problems.push(`history has changed: ${now}, before ${then}`);
    }
    return whole;
  }

  #mayNotGoDown(what: string, now: number, before: number): void {
    if (now < before) this.problems.push(`${what} goes down from ${before} to ${now}`);
  }
}

function isSame(one: Commit, other: Commit | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
