// Exit codes, and what is said about errors.

import test from "ava";
import {
  type ErrorContext,
  errorText,
  exitCodeOf,
  isClientError,
} from "../../../client/cli/error-text.js";
import {
  EXIT,
  EXIT_MEANINGS,
  type ExitCode,
  exitCodeOfError,
  exitCodeOfReason,
} from "../../../client/cli/exit-codes.js";
import { Failure, UsageError } from "../../../client/cli/failure.js";
import { KvdClientError, type Reason } from "../../../client/index.js";
import { ErrorReason } from "../../../gen/grpc/kvd/v1/error.js";

const context: ErrorContext = {
  settings: { server: "127.0.0.1:7856", timeoutMs: 1_500 },
  writes: true,
};

test("every reason of the contract has an exit code that is documented", (t) => {
  for (const name of Object.keys(ErrorReason)) {
    if (name === "UNSPECIFIED" || name === "UNRECOGNIZED") continue;
    const code = exitCodeOfReason(name as Reason);
    t.true(code !== undefined && code !== 0 && code in EXIT_MEANINGS, name);
  }
});

test("the exit codes of the documentation", (t) => {
  const cases: [ConstructorParameters<typeof KvdClientError>[0], Reason | undefined, ExitCode][] = [
    ["FAILED_PRECONDITION", "PRECONDITION_FAILED", 1],
    ["NOT_FOUND", "LEASE_NOT_FOUND", 1],
    ["UNAVAILABLE", undefined, 3],
    ["UNAVAILABLE", "SHUTTING_DOWN", 3],
    ["DEADLINE_EXCEEDED", undefined, 4],
    ["PERMISSION_DENIED", undefined, 5],
    ["UNAUTHENTICATED", undefined, 5],
    ["INVALID_ARGUMENT", "KEY_EMPTY", 6],
    ["RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE", 6],
    ["OUT_OF_RANGE", "REVISION_COMPACTED", 7],
    ["FAILED_PRECONDITION", "STORE_CHANGED", 7],
    ["RESOURCE_EXHAUSTED", "STORE_FULL", 9],
    ["UNAVAILABLE", "LOG_FAILED", 9],
    ["INTERNAL", undefined, 70],
  ];
  for (const [code, reason, exitCode] of cases) {
    t.is(exitCodeOf(new KvdClientError(code, "said", { reason })), exitCode, `${code} ${reason}`);
  }
  t.is(exitCodeOf(new UsageError("said")), EXIT.usage);
  t.is(exitCodeOf(new Failure(EXIT.partial, "said")), EXIT.partial);
  t.is(exitCodeOf(new RangeError("said")), EXIT.internal);
});

test("a reason of a newer server counts by its status", (t) => {
  for (const reason of ["SOMETHING_NEW", "toString"] as unknown as Reason[]) {
    t.is(exitCodeOfError(new KvdClientError("RESOURCE_EXHAUSTED", "said", { reason })), 6);
  }
});

test("the client's error is known by its name", (t) => {
  t.true(isClientError(new KvdClientError("UNKNOWN", "said")));
  t.false(isClientError(new Error("said")));
});

test("a server that is not there is said with its address and what to do", (t) => {
  const message =
    "Get at x: No connection established. Last error: connect ECONNREFUSED 127.0.0.1:7856";
  t.is(
    errorText(new KvdClientError("UNAVAILABLE", message), context),
    "cannot reach kvd at 127.0.0.1:7856: connection refused; " +
      "start one with `kvd` or give --server",
  );
});

test("a broken connection and a deadline leave a write in doubt, a read not", (t) => {
  for (const error of [
    new KvdClientError("UNAVAILABLE", "Put at x: Connection dropped"),
    new KvdClientError("DEADLINE_EXCEEDED", "Put at x: Deadline exceeded"),
  ]) {
    t.regex(errorText(error, context), /may have happened/);
    t.notRegex(errorText(error, { ...context, writes: false }), /may have happened/);
  }
});

test("a watch that breaks tells where to go on", (t) => {
  const details = { resumeRevision: 42 };
  const error = new KvdClientError("UNAVAILABLE", "Watch at x: read ECONNRESET", { details });
  t.regex(errorText(error, { ...context, writes: false }), /connection reset.*--rev 42/);
});

test("a refusal in a txn is said with its path", (t) => {
  const error = new KvdClientError("NOT_FOUND", "there is no lease 7", {
    reason: "LEASE_NOT_FOUND",
    details: { operation: "success[1]" },
  });
  t.regex(errorText(error, context), /^success\[1\]: there is no lease 7/);
});
