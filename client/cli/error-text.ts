// What is said about an error: what happened, to which subject, with which limit, what to do.

import type { KvdClientError, Reason } from "../index.js";
import { roughText } from "./duration.js";
import { EXIT, type ExitCode, exitCodeOfError } from "./exit-codes.js";
import { Failure } from "./failure.js";
import type { Settings } from "./settings.js";

/** What to do about a refusal, where the server's text does not say it already. */
const HINTS: Partial<Readonly<Record<Reason, string>>> = {
  KEY_EMPTY: "give a key of at least one byte",
  PREFIX_EMPTY: "say --all for all keys",
  PRECONDITION_FAILED: "read it again and decide anew",
  STORE_CHANGED: "it is not the store that the revision was of; begin anew, without --rev",
  LEASE_NOT_FOUND: "it ended, or it never was; grant a new one",
  REVISION_COMPACTED: "ask for a later revision, or leave --rev out",
  REVISION_FUTURE: "kvctl status shows the newest revision",
  RESULT_TOO_LARGE: "ask for less at once: --limit, --keys-only, or without --prev",
  STORE_FULL: "delete keys, or start kvd with a larger --store-max-bytes",
  NO_SPACE: "free space on the server's disk",
  SHUTTING_DOWN: "wait for it to be back",
};

const CONNECT_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOENT: "there is no such socket",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "the host's name cannot be resolved now",
  EACCES: "permission denied",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
  ETIMEDOUT: "the connection timed out",
};

/** Loading the client only to recognise its error would cost more than most commands take. */
export function isClientError(error: unknown): error is KvdClientError {
  return error instanceof Error && error.name === "KvdClientError";
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode;
  return isClientError(error) ? exitCodeOfError(error) : EXIT.internal;
}

/** What was being done when it went wrong. */
export interface ErrorContext {
  readonly settings: Pick<Settings, "server" | "timeoutMs"> &
    Partial<Pick<Settings, "context" | "origins">>;
  /** The command changes the store. */
  readonly writes: boolean;
  /** How to go on with a watch that ended; by default, the --rev to give. */
  readonly goOn?: string;
}

/** One line, for people. */
export function errorText(error: unknown, context: ErrorContext): string {
  if (error instanceof Failure) return error.message;
  if (isClientError(error)) return clientErrorText(error, context);
  const text = error instanceof Error ? error.message : String(error);
  return `internal error: ${text}; with --debug it shows where`;
}

function clientErrorText(error: KvdClientError, context: ErrorContext): string {
  const { timeoutMs } = context.settings;
  const server = serverText(context);
  if (error.reason !== undefined) {
    const { operation } = error.details;
    const where = operation === undefined ? "" : `${operation}: `;
    const hint = HINTS[error.reason];
    return `${where}${error.message}${hint === undefined ? "" : `; ${hint}`}${resumption(error, context)}`;
  }
  switch (error.code) {
    case "UNAVAILABLE":
      return unavailableText(error, context);
    case "DEADLINE_EXCEEDED":
      return `no answer from kvd at ${server} within ${roughText(timeoutMs)}${doubt(context)}; --timeout waits longer`;
    case "RESOURCE_EXHAUSTED":
      return `too large for one message: ${error.message}`;
    case "UNIMPLEMENTED":
      return `kvd at ${server} does not offer this: ${error.message}`;
    case "PERMISSION_DENIED":
    case "UNAUTHENTICATED":
      return `denied by kvd at ${server}: ${error.message}`;
    default:
      return error.message;
  }
}

/** The transport tells why only in words; they are read for people, never to decide anything. */
function unavailableText(error: KvdClientError, context: ErrorContext): string {
  const server = serverText(context);
  const code = /\bE[A-Z_]{3,}\b/.exec(error.message)?.[0];
  const why = CONNECT_ERRORS[code ?? ""];
  const unresolved = /resolution failed/i.test(error.message);
  if (/\bprotocol error\b/i.test(error.message)) {
    const hint = "kvctl doctor looks closer, --server names another";
    return `what listens at ${server} is no kvd: it does not speak gRPC; ${hint}`;
  }
  if (unresolved || /No connection established/i.test(error.message)) {
    const cause = unresolved
      ? "the host's name cannot be resolved"
      : (why ?? "no connection was established");
    const text = `cannot reach kvd at ${server}: ${cause}`;
    return `${text}; ${startHint(context)}`;
  }
  const next = resumption(error, context) || doubt(context);
  return `lost the connection to kvd at ${server}: ${why ?? error.message}${next}`;
}

/** The address, with the context that it is of. */
function serverText({ settings: { server, context, origins } }: ErrorContext): string {
  return origins?.server === "context" ? `${server} (context ${context})` : server;
}

function startHint({ settings: { origins } }: ErrorContext): string {
  if (origins?.server === "default") return "kvctl serve starts one, --server names another";
  return "start one with `kvd` or give --server";
}

/** Where the history begins, or another one does, there is nothing to go on with. */
const ENDS_OF_HISTORY: ReadonlySet<string> = new Set(["REVISION_COMPACTED", "STORE_CHANGED"]);

/** Of a watch that ended. */
function resumption(error: KvdClientError, context: ErrorContext): string {
  const { resumeRevision } = error.details;
  if (resumeRevision === undefined || ENDS_OF_HISTORY.has(error.reason ?? "")) return "";
  return `; ${context.goOn ?? `go on with --rev ${resumeRevision}`}`;
}

function doubt({ writes }: ErrorContext): string {
  return writes ? "; the write may have happened" : "";
}

/** For --debug: all that is known. */
export function debugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const facts = isClientError(error)
    ? [`code ${error.code}`, `reason ${error.reason ?? "none"}`, JSON.stringify(error.metadata)]
    : [];
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : "";
  return `${facts.map((fact) => `${fact}\n`).join("")}${error.stack}${cause}`;
}
