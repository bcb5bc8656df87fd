// A served store at which frames are thrown: what each was answered with, and that nothing changed.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { REASONS } from "../../../server/kv/errors.js";
import { toHex } from "../../support/commands.js";
import type { RawOutcome } from "../../support/raw-call.js";
import { type Fixture, serveFixture, stateOf } from "../reasons/fixture.js";
import { METHODS, type Method, sendFrame } from "./methods.js";

/** Codes of errors that are ours: no input may lead to one. */
const BUGS: readonly status[] = [status.INTERNAL, status.UNKNOWN, status.DATA_LOSS];

export class Bench {
  readonly #t: ExecutionContext;
  readonly #fixture: Fixture;
  readonly #state: string;

  private constructor(t: ExecutionContext, fixture: Fixture, state: string) {
    this.#t = t;
    this.#fixture = fixture;
    this.#state = state;
  }

  static async open(t: ExecutionContext): Promise<Bench> {
    const fixture = await serveFixture(t);
    return new Bench(t, fixture, await stateOf(fixture, { closed: false }));
  }

  send(method: Method, bytes: Uint8Array): Promise<RawOutcome> {
    return sendFrame(this.#fixture.clients, method, bytes);
  }

  /** Sends, and expects an answer or a reason, and the store as it was. */
  async sendHarmless(method: Method, bytes: Uint8Array): Promise<RawOutcome> {
    const outcome = await this.send(method, bytes);
    this.expectSound(outcome, bytes);
    await this.expectUnchanged(bytes);
    return outcome;
  }

  async sendMalformed(method: Method, bytes: Uint8Array): Promise<void> {
    const outcome = await this.sendHarmless(method, bytes);
    this.#t.is(shown(outcome), "INVALID_ARGUMENT MALFORMED", `${method.name} ${hexOf(bytes)}`);
  }

  /** Expects what these other bytes are answered with. */
  async sendLike(method: Method, bytes: Uint8Array, other: Uint8Array): Promise<void> {
    const outcome = await this.sendHarmless(method, bytes);
    const due = await this.sendHarmless(method, other);
    this.#t.is(shown(outcome), shown(due), `${method.name} ${hexOf(bytes)}`);
  }

  /** Expects what the same message is answered with when generated code has written it. */
  sendLikeClean(method: Method, bytes: Uint8Array): Promise<void> {
    const clean = toBinary(method.input, fromBinary(method.input, bytes));
    return this.sendLike(method, bytes, clean);
  }

  expectSound({ code, reason, message }: RawOutcome, bytes: Uint8Array): void {
    const known = reason !== undefined && (REASONS as readonly string[]).includes(reason);
    const sound = code === status.OK || known;
    if (!sound || BUGS.includes(code)) {
      this.#t.fail(`${status[code]} ${reason}: ${message} to ${hexOf(bytes)}`);
    }
  }

  async expectUnchanged(bytes: Uint8Array): Promise<void> {
    const state = await stateOf(this.#fixture, { closed: false });
    if (state !== this.#state) this.#t.fail(`the store was changed by ${hexOf(bytes)}`);
  }
}

/** The outcome in short. */
export function shown({ code, reason }: RawOutcome): string {
  return reason === undefined ? `${status[code]}` : `${status[code]} ${reason}`;
}

function hexOf(bytes: Uint8Array): string {
  return bytes.length > 300 ? `${toHex(bytes.subarray(0, 300))}…` : toHex(bytes);
}

export function methodOf(name: string): Method {
  const method = METHODS.find((each) => each.name === name);
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return method;
}
