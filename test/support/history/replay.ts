// The replay checker: is the history what a store would answer that does one thing after the other,
// in the order of the revisions that it tells? It takes the journal and does everything again.
//
// Every write has a revision of its own, with just its changes. A read equals the replay at its
// revision. Who was called after somebody was answered (or saw something) has a higher revision, or
// the same if it only reads. What is unknown has happened once or never; what was refused, never.
// Linear in the length of the history: it believes the revisions, so it need not search.

import { apply, execute, type State } from "./execution.js";
import {
  ABSENT,
  type Answered,
  type Call,
  type Change,
  type Commit,
  type Held,
  type History,
  type Journal,
  showCall,
} from "./history.js";

/** What is wrong; nothing if all is well. */
export function replayProblems(history: History, journal: Journal): string[] {
  const replay = new Replay(history, journal);
  replay.run();
  return replay.problems;
}

interface AnsweredCall extends Call {
  readonly outcome: Answered;
}

class Replay {
  readonly problems: string[] = [];
  readonly #history: History;
  readonly #journal: Journal;
  readonly #commits: ReadonlyMap<number, Commit>;
  readonly #byRevision = new Map<number, AnsweredCall[]>();
  /** The newest revision that anybody had been told when a call was made. */
  readonly #toldBefore = new Map<Call, number>();
  readonly #unknown = new Set<Call>();
  readonly #leased = new Set<string>();

  constructor(history: History, journal: Journal) {
    this.#history = history;
    this.#journal = journal;
    this.#commits = new Map(journal.commits.map((commit) => [commit.revision, commit]));
    for (const call of history.calls) {
      const { outcome } = call;
      if (outcome.kind === "unknown") this.#unknown.add(call);
      if (outcome.kind === "answered" && outcome.revision !== undefined) {
        const same = this.#byRevision.get(outcome.revision) ?? [];
        this.#byRevision.set(outcome.revision, [...same, call as AnsweredCall]);
      }
      for (const operation of [...call.command.success, ...call.command.failure]) {
        if (operation.kind === "put" && operation.leased) this.#leased.add(operation.value);
      }
    }
  }

  run(): void {
    this.#checkJournal();
    this.#checkTimes();
    this.#checkBatches();
    this.#replay();
    this.#checkReadsWithoutRevision();
    this.#checkWatches();
  }

  #checkJournal(): void {
    let last = 0;
    const values = new Set<string>();
    for (const { revision, changes } of this.#journal.commits) {
      if (revision <= last) this.problems.push(`revision ${revision} comes after ${last}`);
      last = revision;
      if (changes.length === 0) this.problems.push(`revision ${revision} changes nothing`);
      for (const { value } of changes) {
        if (value === ABSENT) continue;
        if (values.has(value)) this.problems.push(`${value} is written twice`);
        values.add(value);
      }
    }
    for (const revision of this.#byRevision.keys()) {
      if (revision > this.#journal.revision) {
        this.problems.push(
          `revision ${revision} was told, the newest is ${this.#journal.revision}`,
        );
      }
    }
  }

  #checkTimes(): void {
    const moments: { tick: number; revision?: number; call?: Call }[] = [];
    for (const call of this.#history.calls) {
      moments.push({ tick: call.tick, call });
      const { outcome } = call;
      if (outcome.kind !== "answered") continue;
      const { tick } = outcome;
      const seen = outcome.answers.flatMap((answer) =>
        answer.kind === "read" ? answer.entries.map(({ revision }) => revision) : [],
      );
      moments.push({ tick, revision: Math.max(outcome.revision ?? 0, ...seen) });
    }
    for (const { tick, revision } of this.#history.sightings) moments.push({ tick, revision });
    moments.sort((one, other) => one.tick - other.tick);
    let told = 0;
    for (const { revision = 0, call } of moments) {
      if (call !== undefined) this.#toldBefore.set(call, told);
      told = Math.max(told, revision);
    }
    for (const call of this.#history.calls) {
      const { outcome } = call;
      if (outcome.kind !== "answered" || outcome.revision === undefined) continue;
      const before = this.#before(call);
      if (outcome.revision < before) {
        this.#wrong(call, `revision ${outcome.revision}, when ${before} had been told`);
      }
    }
  }

  #checkBatches(): void {
    let last: Call | undefined;
    for (const call of this.#history.calls) {
      const [before, now] = [revisionOf(last), revisionOf(call)];
      const together = last?.client === call.client && last.tick === call.tick;
      if (together && before !== undefined && now !== undefined && now < before) {
        this.#wrong(call, `revision ${now}, after ${before} in one batch`);
      }
      last = call;
    }
  }

  #replay(): void {
    const state = new Map<string, Held>();
    const revisions = new Set([...this.#commits.keys(), ...this.#byRevision.keys()]);
    for (const revision of [...revisions].sort((one, other) => one - other)) {
      const changes = this.#commits.get(revision)?.changes ?? [];
      const before = new Map(state);
      apply(state, changes, revision);
      const writers = (this.#byRevision.get(revision) ?? []).filter(
        (call) => !isRead(call, state, revision),
      );
      for (const call of writers) this.#checkWrite(call, before, changes);
      if (writers.length > 1) {
        this.problems.push(`revision ${revision} is of ${writers.map(showCall).join(" and of ")}`);
      }
      if (writers.length === 0 && changes.length > 0) this.#explain({ revision, changes }, before);
    }
  }

  #checkWrite(call: AnsweredCall, before: State, changes: readonly Change[]): void {
    const { revision = 0, succeeded, answers } = call.outcome;
    const due = execute(call.command, before, revision);
    const wanted = JSON.stringify([due.succeeded, due.changes, due.answers]);
    const got = JSON.stringify([succeeded, changes, answers]);
    if (wanted !== got) this.#wrong(call, `at ${revision} ${got}, due is ${wanted}`);
    if (due.changes.length > 0 && revision <= this.#before(call)) {
      this.#wrong(call, `wrote ${revision}, which had been told before`);
    }
  }

  /** A commit that nobody was answered: by what is unknown, or by the end of a lease. */
  #explain({ revision, changes }: Commit, before: State): void {
    const wanted = JSON.stringify(changes);
    for (const call of this.#unknown) {
      if (this.#before(call) >= revision) continue;
      if (JSON.stringify(execute(call.command, before, revision).changes) !== wanted) continue;
      this.#unknown.delete(call);
      return;
    }
    const ended = changes.every(({ key, expired }) => {
      return expired && this.#leased.has(before.get(key)?.value ?? ABSENT);
    });
    if (!ended) this.problems.push(`nobody has done ${wanted} at ${revision}`);
  }

  /** There is a revision, between what was told before and what is told after, that fits. */
  #checkReadsWithoutRevision(): void {
    const reads = this.#history.calls.filter(
      (call): call is AnsweredCall =>
        call.outcome.kind === "answered" && call.outcome.revision === undefined,
    );
    const upTo = this.#newestFor(reads);
    const states = new StateWindow(this.#journal.commits);
    for (const call of reads.sort((one, other) => this.#before(one) - this.#before(other))) {
      const first = this.#before(call);
      const last = upTo.get(call) ?? this.#journal.revision;
      if (!states.some(first, last, (state, revision) => isRead(call, state, revision))) {
        this.#wrong(call, `fits no revision from ${first} to ${last}`);
      }
    }
  }

  /** The lowest revision that is told to anybody who was called after the answer. */
  #newestFor(reads: readonly AnsweredCall[]): Map<Call, number> {
    const later = this.#history.calls.filter((call) => revisionOf(call) !== undefined);
    later.sort((one, other) => other.tick - one.tick);
    const newest = new Map<Call, number>();
    let lowest = this.#journal.revision;
    let next = 0;
    for (const read of [...reads].sort((one, other) => other.outcome.tick - one.outcome.tick)) {
      for (; (later[next]?.tick ?? 0) > read.outcome.tick; next += 1) {
        lowest = Math.min(lowest, revisionOf(later[next]) ?? lowest);
      }
      newest.set(read, lowest);
    }
    return newest;
  }

  #checkWatches(): void {
    for (const { watch, revision: start } of this.#history.watches) {
      const seen = this.#history.sightings.filter((sighting) => sighting.watch === watch);
      let told = start - 1;
      for (const { revision, changes } of seen) {
        const back = changes.length > 0 ? revision <= told : revision < told;
        if (back) this.problems.push(`${watch} tells ${revision} after ${told}`);
        const due = this.#between(told + 1, revision);
        const wanted = due.flatMap((commit) => commit.changes);
        if (!back && JSON.stringify(wanted) !== JSON.stringify(changes)) {
          const texts = [changes, wanted].map((each) => JSON.stringify(each));
          this.problems.push(`${watch} tells ${texts[0]} at ${revision}, due is ${texts[1]}`);
        }
        told = Math.max(told, revision);
      }
    }
  }

  #between(first: number, last: number): Commit[] {
    const commits: Commit[] = [];
    for (let revision = first; revision <= last; revision += 1) {
      const commit = this.#commits.get(revision);
      if (commit !== undefined) commits.push(commit);
    }
    return commits;
  }

  #before(call: Call): number {
    return this.#toldBefore.get(call) ?? 0;
  }

  #wrong(call: Call, text: string): void {
    this.problems.push(`${showCall(call)}: ${text}`);
  }
}

/** The states of the commits, looked at in windows whose beginnings never go back. */
class StateWindow {
  readonly #commits: readonly Commit[];
  readonly #state = new Map<string, Held>();
  #next = 0;

  constructor(commits: readonly Commit[]) {
    this.#commits = commits;
  }

  some(first: number, last: number, fits: (state: State, revision: number) => boolean): boolean {
    for (; (this.#commits[this.#next]?.revision ?? Infinity) <= first; this.#next += 1) {
      this.#apply(this.#state, this.#next);
    }
    if (fits(this.#state, first)) return true;
    const state = new Map(this.#state);
    for (let at = this.#next; (this.#commits[at]?.revision ?? Infinity) <= last; at += 1) {
      this.#apply(state, at);
      if (fits(state, this.#commits[at]?.revision ?? 0)) return true;
    }
    return false;
  }

  #apply(state: Map<string, Held>, at: number): void {
    const commit = this.#commits[at];
    if (commit !== undefined) apply(state, commit.changes, commit.revision);
  }
}

function revisionOf(call: Call | undefined): number | undefined {
  return call?.outcome.kind === "answered" ? call.outcome.revision : undefined;
}

/** It has changed nothing, and answers what there is. */
function isRead({ command, outcome }: AnsweredCall, state: State, revision: number): boolean {
  const due = execute(command, state, revision);
  if (due.changes.length > 0 || due.succeeded !== outcome.succeeded) return false;
  return JSON.stringify(due.answers) === JSON.stringify(outcome.answers);
}
