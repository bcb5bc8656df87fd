// etcdctl as the tests run it, and what it says, in a form in which two servers can be compared.

import { spawnSync } from "node:child_process";
import { type Ended, RunningProcess, run, type Scope } from "../process.js";

export interface Etcdctl {
  readonly address: string;
  /** Runs a command to its end. */
  (...args: readonly string[]): Promise<Ended>;
  /** The same with something to read. */
  reading(stdin: string, ...args: readonly string[]): Promise<Ended>;
  /** Starts one that goes on. */
  start(...args: readonly string[]): RunningProcess;
}

const ENVIRONMENT = { ETCDCTL_API: "3" };

/** etcdctl for one server; the address without a scheme, see docs/etcd.md. */
export function etcdctlFor(scope: Scope, address: string): Etcdctl {
  const command = (args: readonly string[]) =>
    ["etcdctl", "--endpoints", address, ...args] as const;
  const environment = ENVIRONMENT;
  return Object.assign((...args: readonly string[]) => run(scope, command(args), { environment }), {
    address,
    reading: (stdin: string, ...args: readonly string[]) =>
      run(scope, command(args), { environment, stdin }),
    start: (...args: readonly string[]) =>
      new RunningProcess(scope, command(args), { environment }),
  });
}

/** A command of a script: its words, and what it reads, if it reads something. */
export type Step = readonly string[] | { readonly stdin: string; readonly args: readonly string[] };

/** Runs a script, and tells what was said: commands, exit codes, both outputs. */
export async function transcript(etcdctl: Etcdctl, script: readonly Step[]): Promise<string> {
  const names = new Names();
  const said: string[] = [];
  for (const step of script) {
    const { args, stdin = "" } = "args" in step ? step : { args: step };
    const words = args.map((word) => names.real(word));
    const { exitCode, stdout, stderr } = await etcdctl.reading(stdin, ...words);
    const output = `${stdout}${withoutTimes(stderr)}`;
    said.push(`$ etcdctl ${args.join(" ")}\n${names.given(output)}exit ${exitCode}\n`);
  }
  return said.join("").replaceAll(etcdctl.address, "ADDRESS");
}

/** Lease ids, which servers choose, named L1, L2 … in the order in which they appear. */
class Names {
  readonly #ids: string[] = [];

  real(word: string): string {
    return word.replace(/\bL(\d)\b/g, (name, digit) => this.#ids[Number(digit) - 1] ?? name);
  }

  given(output: string): string {
    const named = withoutIds(output)
      .replace(/\blease ([0-9a-f]{9,16})\b/g, (_, id) => `lease ${this.#name(id)}`)
      .replace(/^([0-9a-f]{15,16})$/gm, (_, id) => this.#name(id))
      .replace(/"(ID|lease|Lease)"( ?: ?)(\d{12,})/g, (_, field, colon, digits) => {
        return `"${field}"${colon}${this.#name(BigInt(digits).toString(16))}`;
      });
    return named.replace(/remaining\(\d+s\)/g, "remaining(…)").replace(/took = \S+/g, "took = …");
  }

  #name(id: string): string {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return `L${this.#ids.indexOf(id) + 1}`;
  }
}

/** The ids of the server that spoke. */
export function withoutIds(output: string): string {
  return output.replace(/"(cluster_id|member_id|ClusterID|MemberID)"( ?: ?)\d+/g, '"$1"$2ID');
}

/** etcdctl logs its errors with the time. */
function withoutTimes(stderr: string): string {
  return stderr
    .replace(/"ts":"[^"]*"/g, '"ts":"…"')
    .replace(/endpoint:\/\/client-[0-9a-f-]*/g, "…");
}

/** Why this machine cannot compare etcdctl's words; undefined if it can. */
export function whyNoEtcdctl(): string | undefined {
  const missing = ["etcd", "etcdctl"].filter((name) => spawnSync(name, ["--help"]).status !== 0);
  return missing.length === 0 ? undefined : missing.join(" and ");
}
