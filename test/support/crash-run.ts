// One store on a disk that forgets, with the model beside it, through one crash after the other.
//
// Every step goes to both at once. After a crash the store must be as the model was after one of
// the steps: none that was answered is missing, and nothing that was shown. The model is put back
// to that step, and both go on.

import type { MemoryEngine } from "../../server/engines/memory.js";
import { KvdError } from "../../server/kv/errors.js";
import type { Event } from "../../server/kv/types.js";
import { ALL, type Bytes, bytes, get, toHex, watch } from "./commands.js";
import type { CrashingFiles } from "./crashing-files.js";
import { openOnDisk } from "./disk-engine.js";
import { ManualClock } from "./manual-clock.js";
import { Model } from "./model.js";
import { RecordingLogger } from "./recording-logger.js";
import { type Act, answerOfEngine, answerOfModel } from "./store-acts.js";
import {
  difference,
  entryText,
  lineOfEvent,
  lineOfModel,
  type StepMark,
  viewOf,
} from "./store-view.js";
import { historyOf } from "./take.js";

/** After a crash ids go on above all that were given before it. */
const IDS_PER_LIFE = 1000n;

export class CrashRun {
  readonly files: CrashingFiles;
  readonly model: Model;
  logger = new RecordingLogger();
  readonly #segmentMaxBytes: number;
  #engine: MemoryEngine | undefined;
  #clock = new ManualClock();
  /** What the model was at the beginning, and after each step. */
  #marks: StepMark[];
  /** The last of them that was answered. */
  #answered = 0;
  #shown = { revision: 0, compactRevision: 0 };
  #problem: Error | undefined;
  #ids = { engine: 1000n, model: 1000n };

  /** Nothing is opened yet. */
  constructor(files: CrashingFiles, { segmentMaxBytes = 1024 } = {}) {
    this.files = files;
    this.#segmentMaxBytes = segmentMaxBytes;
    this.model = new Model(() => this.#nextId("model"));
    this.#marks = [{ ...this.model.mark(), writtenMs: 0 }];
  }

  get engine(): MemoryEngine {
    if (this.#engine === undefined) throw new Error("it is not open");
    return this.#engine;
  }

  /** How many steps there have been since the store was opened. */
  get steps(): number {
    return this.#marks.length - 1;
  }

  /** Opens the store, and shows all that it has to a watch. */
  async open(): Promise<void> {
    const { engine, clock, logger } = await openOnDisk(this.files, {
      segmentMaxBytes: this.#segmentMaxBytes,
      randomLeaseId: () => this.#nextId("engine"),
    });
    this.#engine = engine;
    this.#clock = clock;
    this.logger = logger;
    this.#watch(this.#engine);
  }

  /** Begins a step; settles when it is answered: never, when there is a crash before. */
  async act(act: Act): Promise<void> {
    const { engine } = this;
    const answer = answerOfEngine(engine, act);
    const expected = answerOfModel(this.model, act);
    const number = this.#mark();
    const actual = await answer;
    if (engine !== this.#engine) return;
    if (actual !== expected) this.#fail(`${act.kind}: ${actual}; the model says ${expected}`);
    this.#answered = Math.max(this.#answered, number);
  }

  /**
   * The same for several in one turn, when the disk is full: what they wrote is taken back. False
   * when they wrote nothing.
   */
  async actWhenFull(acts: readonly Act[]): Promise<boolean> {
    const { engine, model } = this;
    const before = this.#marks.length - 1;
    const fault = this.files.faults.fail({ of: "write", code: "ENOSPC", in: "log-" });
    const answers: Promise<string>[] = [];
    const expected: string[] = [];
    for (const act of acts) {
      answers.push(answerOfEngine(engine, act));
      expected.push(answerOfModel(model, act));
      this.#mark();
    }
    const told = await Promise.all(answers);
    this.files.faults.clear();
    if (fault.failed === 0) {
      if (told.join() !== expected.join()) this.#fail(`${told}; the model says ${expected}`);
      this.#answered = this.#marks.length - 1;
      return false;
    }
    if (!told.includes("NO_SPACE")) this.#fail(`on a full disk: ${told}`);
    this.#marks.length = before + 1;
    model.rewind(this.#marks[before] as StepMark, new Map());
    this.#ids.model = this.#ids.engine;
    await this.check();
    return true;
  }

  /** What is read must be as the model was at the revision that is told with it. */
  async read(key: Bytes): Promise<void> {
    const { engine } = this;
    const { revision, entry } = await engine.get(get(key));
    const { compactRevision } = await engine.status();
    if (engine !== this.#engine) return;
    this.#show(revision, compactRevision);
    const expected = this.model.states[revision]?.get(toHex(bytes(key)));
    const [actual, due] = [entry, expected].map((one) => (one ? entryText(one) : "nothing"));
    if (actual !== due) this.#fail(`${actual} at revision ${revision}; the model says ${due}`);
  }

  /** Time passes. Each lease that ends is a step. */
  async advance(ms: number): Promise<void> {
    this.model.advance(ms, () => this.#mark());
    this.#mark();
    this.#clock.advance(ms);
    await this.#clock.settle();
  }

  /** Turns in which what is under way goes on. */
  settle(turns?: number): Promise<void> {
    return this.#clock.settle(turns);
  }

  /** Stops properly, and opens again: all is there, leases have exactly what remained. */
  async restart(): Promise<void> {
    await this.close();
    this.#marks = [{ ...this.model.mark(), writtenMs: this.model.nowMs }];
    this.#answered = 0;
    await this.recover();
  }

  async close(): Promise<void> {
    const { engine } = this;
    this.#engine = undefined;
    await engine.close();
  }

  /** The same history on what a crash would leave of the disk. */
  onDisk(files: CrashingFiles): CrashRun {
    const other = new CrashRun(files, { segmentMaxBytes: this.#segmentMaxBytes });
    other.model.copyFrom(this.model);
    other.#marks = [...this.#marks];
    other.#answered = this.#answered;
    other.#shown = { ...this.#shown };
    other.#problem = this.#problem;
    other.#ids = { ...this.#ids };
    return other;
  }

  /** Changes what the next recover() may find: the store as after one of these steps. */
  expect({ least, most }: { readonly least: number; readonly most: number }): void {
    this.#marks.length = most + 1;
    this.#answered = least;
    this.#shown = { revision: 0, compactRevision: 0 };
  }

  /**
   * Opens the store, puts the model back to what it has, and checks both. Answers how many steps
   * are lost.
   *
   * @throws what is wrong.
   */
  async recover(): Promise<number> {
    this.#throwProblem();
    const servedMs = this.model.nowMs;
    const base = this.#ids.engine + IDS_PER_LIFE;
    this.#ids = { engine: base, model: base };
    await this.open();
    const view = await viewOf(this.engine);
    const step = this.#stepOf(view, servedMs);
    const lost = this.#marks.length - 1 - step;
    const remains = new Map([...view.leases].map(([id, lease]) => [id, lease.remainingMs]));
    this.model.rewind(this.#marks[step] as StepMark, remains);
    this.#marks = [{ ...this.model.mark(), writtenMs: this.model.nowMs }];
    this.#answered = 0;
    await this.check();
    return lost;
  }

  /** The store's own checks, its state and its whole history against the model's. */
  async check(): Promise<void> {
    this.#throwProblem();
    const { engine, model } = this;
    engine.check();
    const from = Math.max(1, model.compactRevision + 1);
    const actual = (await historyOf(engine, from)).map(lineOfEvent).join("\n");
    const events = model.events.filter(({ revision }) => revision >= from);
    const expected = events.map(lineOfModel).join("\n");
    if (actual !== expected) throw new Error(`history:\n${actual}\nthe model's:\n${expected}`);
    const mark = { ...model.mark(), writtenMs: model.nowMs };
    const problem = difference(await viewOf(engine), { mark, model, servedMs: model.nowMs });
    if (problem !== undefined) throw new Error(problem);
  }

  /** The step after which the store is, the newest if there are several. */
  #stepOf(view: Awaited<ReturnType<typeof viewOf>>, servedMs: number): number {
    for (const name of ["revision", "compactRevision"] as const) {
      if (view[name] >= this.#shown[name]) continue;
      throw new Error(`${name} ${this.#shown[name]} was shown, and now it is ${view[name]}`);
    }
    const newest = this.#marks.length - 1;
    const problems: string[] = [];
    for (let step = newest; step >= this.#answered; step -= 1) {
      const mark = this.#marks[step] as StepMark;
      const problem = difference(view, { mark, model: this.model, servedMs });
      if (problem === undefined) return step;
      problems.push(`step ${step}: ${problem}`);
    }
    const what = `it is as after none of the steps ${this.#answered} to ${newest}`;
    throw new Error([what, ...problems].join("\n"));
  }

  async #watch(engine: MemoryEngine): Promise<void> {
    const startRevision = Math.max(1, this.model.compactRevision + 1);
    const watcher = engine.watch(watch(ALL, { startRevision }));
    try {
      for (;;) {
        const message = await watcher.next();
        if (message === undefined || engine !== this.#engine) return;
        if (message.kind === "events") this.#showEvents(message.events);
        if (message.kind !== "created") this.#show(message.revision, 0);
        if (message.kind !== "progress") watcher.requestProgress();
      }
    } catch (error) {
      if (!(error instanceof KvdError)) this.#problem ??= error as Error;
    }
  }

  #showEvents(events: readonly Event[]): void {
    for (const event of events) {
      const line = lineOfEvent(event);
      const due = this.model.events
        .filter(({ revision }) => revision === event.revision)
        .map((expected) => lineOfModel({ ...expected, previous: undefined }));
      if (!due.includes(line)) this.#fail(`a watch told ${line}; the model ${due}`);
    }
  }

  #show(revision: number, compactRevision: number): void {
    const shown = this.#shown;
    shown.revision = Math.max(shown.revision, revision);
    shown.compactRevision = Math.max(shown.compactRevision, compactRevision);
  }

  /** The number of the step that has been done. */
  #mark(): number {
    const before = this.#marks.at(-1) as StepMark;
    const mark = this.model.mark();
    const writtenMs = isSame(before, mark) ? before.writtenMs : before.nowMs;
    return this.#marks.push({ ...mark, writtenMs }) - 1;
  }

  #nextId(of: "engine" | "model"): bigint {
    this.#ids[of] += 1n;
    return this.#ids[of];
  }

  #fail(text: string): void {
    this.#problem ??= new Error(text);
  }

  #throwProblem(): void {
    if (this.#problem !== undefined) throw this.#problem;
  }
}

function isSame(one: Omit<StepMark, "writtenMs">, other: Omit<StepMark, "writtenMs">): boolean {
  const leases = ({ leases: all }: typeof one) =>
    all.map(({ id, deadlineMs }) => `${id} ${deadlineMs}`).join();
  return (
    one.revision === other.revision &&
    one.compactRevision === other.compactRevision &&
    leases(one) === leases(other)
  );
}
