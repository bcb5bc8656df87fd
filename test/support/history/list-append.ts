// Lists that only grow, each element unlike all others: a list tells in which order its elements
// came, so who was before whom is known without a search and without a revision.
//
// Edges between calls, as in Elle: the next element's writer comes after the one before it; who saw
// a list comes after the writer of its last element, and before the writer of the next; and who was
// called after another was answered comes after it. A cycle is a history that no order explains.

import { ABSENT, type Call, type History, showCall } from "./history.js";

/** What is wrong with the lists under a prefix. */
export function listProblems(history: History, prefix: string): string[] {
  const told = history.calls.flatMap((call) => viewsOf(call, prefix));
  const views = [...told, ...happened(history, prefix, longestOf(told))];
  const longest = longestOf(views);
  const problems = views
    .filter(({ key, list }) => !startsWith(longest.get(key) ?? [], list))
    .map(({ call, key, list }) => `${showCall(call)}: ${key} was ${list}, not as others saw it`);
  for (const [key, list] of longest) {
    if (new Set(list).size < list.length) problems.push(`${key} has an element twice: ${list}`);
  }
  if (problems.length > 0) return problems;
  const cycle = cycleIn(graphOf(history, views, longest));
  return cycle.length === 0 ? [] : [`in a cycle: ${cycle.map(showCall).join("; ")}`];
}

/** What a call saw of a list; or, made by it, what the list was then. */
interface View {
  readonly call: Call;
  readonly key: string;
  readonly list: readonly string[];
  readonly made: boolean;
}

const listOf = (value: string) => (value === ABSENT ? [] : value.split(","));

function viewsOf(call: Call, prefix: string): View[] {
  const { command, outcome } = call;
  const view = (key: string, value: string, made: boolean): View[] =>
    key.startsWith(prefix) ? [{ call, key, list: listOf(value), made }] : [];
  if (outcome.kind !== "answered") return [];
  const seen = outcome.succeeded
    ? command.compares.flatMap(({ key, is }) => view(key, is, false))
    : [];
  const branch = outcome.succeeded ? command.success : command.failure;
  const more = branch.flatMap((operation, index) => {
    if (operation.kind === "put") return view(operation.key, operation.value, true);
    const answer = outcome.answers[index];
    if (answer?.kind !== "read") return [];
    const found = answer.entries.flatMap(({ key, value }) => view(key, value, false));
    const { keys } = operation;
    const isAbsent = "key" in keys && answer.entries.length === 0;
    return isAbsent ? view(keys.key, ABSENT, false) : found;
  });
  return [...seen, ...more];
}

/** Unknown calls of which anything was seen: then all of it has happened. */
function happened(
  { calls }: History,
  prefix: string,
  seen: ReadonlyMap<string, readonly string[]>,
): View[] {
  return calls.flatMap((call) => {
    if (call.outcome.kind !== "unknown") return [];
    const made = call.command.success.flatMap((operation): View[] => {
      if (operation.kind !== "put" || !operation.key.startsWith(prefix)) return [];
      return [{ call, key: operation.key, list: listOf(operation.value), made: true }];
    });
    return made.some(({ key, list }) => seen.get(key)?.includes(list.at(-1) ?? "")) ? made : [];
  });
}

function longestOf(views: readonly View[]): Map<string, readonly string[]> {
  const longest = new Map<string, readonly string[]>();
  for (const { key, list } of views) {
    if (list.length > (longest.get(key)?.length ?? -1)) longest.set(key, list);
  }
  return longest;
}

function startsWith(whole: readonly string[], part: readonly string[]): boolean {
  return part.every((element, index) => whole[index] === element);
}

/** A call, or a moment: what comes before it in time points to it, and it to what comes after. */
type Node = Call | number;
type Graph = Map<Node, Set<Node>>;

function graphOf(
  history: History,
  views: readonly View[],
  longest: ReadonlyMap<string, readonly string[]>,
): Graph {
  const graph: Graph = new Map();
  const add = (from: Node | undefined, to: Node | undefined) => {
    if (from === undefined || to === undefined || from === to) return;
    const next = graph.get(from) ?? new Set();
    graph.set(from, next.add(to));
  };
  const writers = writersOf(history);
  for (const [key, list] of longest) {
    for (const [index, element] of list.entries()) {
      add(writers.get(`${key} ${list[index - 1]}`), writers.get(`${key} ${element}`));
    }
  }
  for (const { call, key, list, made } of views) {
    if (made) continue;
    add(writers.get(`${key} ${list.at(-1)}`), call);
    add(call, writers.get(`${key} ${longest.get(key)?.[list.length]}`));
  }
  addTimes(history, add);
  return graph;
}

/** By key and element; those whose outcome is unknown, too. */
function writersOf({ calls }: History): Map<string, Call> {
  const writers = new Map<string, Call>();
  for (const call of calls) {
    for (const operation of [...call.command.success, ...call.command.failure]) {
      if (operation.kind !== "put") continue;
      writers.set(`${operation.key} ${listOf(operation.value).at(-1)}`, call);
    }
  }
  return writers;
}

/** A chain of moments: one for each answer; the later ones come after the earlier ones. */
function addTimes({ calls }: History, add: (from: Node, to: Node) => void): void {
  const ends = calls.flatMap((call) =>
    call.outcome.kind === "answered" ? [{ call, tick: call.outcome.tick }] : [],
  );
  const moments = [...new Set(ends.map(({ tick }) => tick))].sort((one, other) => one - other);
  for (const [index, moment] of moments.entries()) {
    if (index > 0) add(moments[index - 1] ?? 0, moment);
  }
  for (const { call, tick } of ends) add(call, tick);
  const byCall = [...calls].sort((one, other) => one.tick - other.tick);
  let passed = 0;
  for (const call of byCall) {
    while ((moments[passed] ?? Number.POSITIVE_INFINITY) < call.tick) passed += 1;
    const before = moments[passed - 1];
    if (before !== undefined) add(before, call);
  }
}

/** The calls that are left when everything is taken away that nothing left comes before. */
function cycleIn(graph: Graph): Call[] {
  const before = new Map<Node, number>();
  for (const [from, next] of graph) {
    before.set(from, before.get(from) ?? 0);
    for (const to of next) before.set(to, (before.get(to) ?? 0) + 1);
  }
  const free = [...before].flatMap(([node, count]) => (count === 0 ? [node] : []));
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    before.delete(node);
    for (const to of graph.get(node) ?? []) {
      const count = (before.get(to) ?? 0) - 1;
      before.set(to, count);
      if (count === 0) free.push(to);
    }
  }
  return [...before.keys()].filter((node) => typeof node !== "number").slice(0, 6);
}
