// Writing to a streaming call at the pace of its peer.
//
// A call keeps whatever is written until its peer takes it. A StreamWriter counts the bytes that
// the transport has not taken yet, and lets its producers, each through a Gate of its
// own, go on only while those are below a bound, in the order in which they came to wait. Beyond
// the bound goes at most one message of each producer that had passed its gate before.
// Knows nothing of watches.

import type { Clock, Timer } from "../lib/clock.js";
import type { Failure, WritingCall } from "./service.js";

export interface StreamOptions {
  /** Producers wait while so many bytes, or more, have not been taken. */
  readonly unsentMaxBytes: number;
  /** How long its end may wait behind what the peer does not take, before the stream is reset. */
  readonly idleMaxMs: number;
  readonly clock: Clock;
}

export interface WriterOptions<Message> extends StreamOptions {
  /** Makes the frame of a message, five bytes of gRPC's in front, or gives one that is shared. */
  readonly frameOf?: (message: Message) => Uint8Array;
}

/** So many small messages make producers wait too. */
const UNSENT_MAX_MESSAGES = 64;

/** Promises of gates kept in one turn of the event loop: what is written then counts later. */
const GATES_PER_TURN = 16;

/** How long a status may wait for a peer that has not taken anything for long already. */
const LAST_WORD_MS = 10_000;

export class StreamWriter<Message> {
  readonly #call: WritingCall<Message>;
  readonly #options: WriterOptions<Message>;
  readonly #waiting = new Set<Gate>();
  readonly #keeper: GateKeeper = {
    mustWait: () => this.mustWait,
    wait: (gate) => this.#waiting.add(gate),
    leave: (gate) => this.#waiting.delete(gate),
  };
  #unsentBytes = 0;
  /** Of those that are no frames. */
  #unsentMessages = 0;
  /** When the peer last took something, or began to have something to take. */
  #takenMs = 0;
  #over = false;
  #openedInTurn = 0;
  #lastWord: Timer | undefined;

  constructor(call: WritingCall<Message>, options: WriterOptions<Message>) {
    this.#call = call;
    this.#options = options;
    call.once("cancelled", () => this.#finish());
    if (call.cancelled) this.#finish();
  }

  /** Nothing can be written any more: the peer is gone, or the status was given. */
  get over(): boolean {
    return this.#over;
  }

  get full(): boolean {
    const { unsentMaxBytes } = this.#options;
    return this.#unsentBytes >= unsentMaxBytes || this.#unsentMessages >= UNSENT_MAX_MESSAGES;
  }

  /** Whether a producer that came now would have to wait for its turn. */
  get mustWait(): boolean {
    return !this.#over && (this.full || this.#waiting.size > 0);
  }

  /** For how long the peer has taken nothing of what waits for it. */
  get stalledMs(): number {
    return this.#unsentBytes === 0 ? 0 : this.#options.clock.monotonicMs() - this.#takenMs;
  }

  /** One for each producer. */
  gate(): Gate {
    return new Gate(this.#keeper);
  }

  /** `bytes` is about what the message takes when encoded. Does nothing when the stream is over. */
  write(message: Message, bytes: number): void {
    if (this.#over) return;
    const { clock, frameOf } = this.#options;
    if (this.#unsentBytes === 0) this.#takenMs = clock.monotonicMs();
    this.#unsentBytes += bytes;
    const call = this.#call;
    if (frameOf !== undefined && call.writeFrame !== undefined) {
      call.writeFrame(frameOf(message), () => this.#taken(bytes));
      return;
    }
    this.#unsentMessages += 1;
    call.write(message, () => {
      this.#unsentMessages -= 1;
      this.#taken(bytes);
    });
  }

  #taken(bytes: number): void {
    this.#unsentBytes -= bytes;
    this.#takenMs = this.#options.clock.monotonicMs();
    this.#openGates();
  }

  /** Ends the stream well, after what was written: a peer has as long to take that. */
  finish(): void {
    this.#end(() => this.#call.finish(), this.#options.idleMaxMs);
  }

  /** The same, with a status. */
  end(status: Failure): void {
    this.#end(() => this.#call.fail(status), this.#options.idleMaxMs);
  }

  /**
   * The same for a peer that has taken nothing for long: it has little time left. What was written
   * is not dropped alone, because the status may tell what comes after it.
   */
  abandon(status: Failure): void {
    this.#end(() => this.#call.fail(status), LAST_WORD_MS);
  }

  #end(end: () => void, patienceMs: number): void {
    if (this.#over) return;
    this.#lastWord = this.#options.clock.setTimer(patienceMs, () => this.#call.reset());
    end();
    this.#over = true;
    this.#openAll();
  }

  #finish(): void {
    this.#over = true;
    this.#lastWord?.cancel();
    // Producers see first that their call is over, and do not go on for nobody.
    queueMicrotask(() => this.#openAll());
  }

  #openGates(): void {
    for (const gate of this.#waiting) {
      if (this.full || this.#openedInTurn === GATES_PER_TURN) return;
      if (gate.isPromised) {
        if (this.#openedInTurn === 0) setImmediate(() => this.#beginTurn());
        this.#openedInTurn += 1;
      }
      this.#waiting.delete(gate);
      gate.admit();
    }
  }

  #beginTurn(): void {
    this.#openedInTurn = 0;
    this.#openGates();
  }

  #openAll(): void {
    for (const gate of this.#waiting) gate.admit();
    this.#waiting.clear();
  }
}

interface GateKeeper {
  mustWait(): boolean;
  wait(gate: Gate): void;
  leave(gate: Gate): void;
}

/** Where one producer waits for its turn: one at a time. */
export class Gate {
  readonly #keeper: GateKeeper;
  #open = false;
  #go: (() => void) | undefined;
  #promised = false;

  constructor(keeper: GateKeeper) {
    this.#keeper = keeper;
  }

  /**
   * True when it is the producer's turn, or there is nothing to wait for any more. Else calls back
   * once when it is.
   */
  enter(go: () => void): boolean {
    if (this.#go !== undefined) throw new Error("two wait at the gate of one producer");
    if (this.#open || !this.#keeper.mustWait()) return true;
    this.#go = go;
    this.#keeper.wait(this);
    return false;
  }

  /** Who waits goes on some time after admit(). */
  get isPromised(): boolean {
    return this.#promised;
  }

  /** Settles when enter() would be true. */
  pass(): Promise<void> {
    this.#promised = true;
    return new Promise((resolve) => {
      if (this.enter(resolve)) resolve();
    });
  }

  /** Lets the producer through this once. */
  admit(): void {
    const go = this.#go;
    this.#go = undefined;
    go?.();
  }

  /** Lets the producer through now and ever after: what it has to say cannot wait. */
  open(): void {
    this.#open = true;
    this.#keeper.leave(this);
    this.admit();
  }
}
