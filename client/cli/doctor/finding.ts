// What doctor finds: of one thing that it looked at, how it is, and what to do about it.

export interface Finding {
  /** The thing: "versions", "disk". */
  readonly check: string;
  /** A problem keeps calls from working now; a warning may do so later, or surprise. */
  readonly state: "ok" | "warning" | "problem";
  readonly says: string;
  /** What to do; always there unless the state is ok. */
  readonly fix?: string;
}

export function ok(check: string, says: string): Finding {
  return { check, state: "ok", says };
}

export function warning(check: string, says: string, fix: string): Finding {
  return { check, state: "warning", says, fix };
}

export function problem(check: string, says: string, fix: string): Finding {
  return { check, state: "problem", says, fix };
}
