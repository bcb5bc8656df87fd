// Leases in each of the output formats. Ids are decimal text in JSON, because they may exceed 2^53.

import type { LeaseInfo, LeaseKeys } from "../index.js";
import { roughText, secondsText } from "./duration.js";
import { bytesForm, leaseInfoForm } from "./json-forms.js";
import { JsonList } from "./json-list.js";
import type { Output } from "./output.js";
import { tableText } from "./table.js";
import { lineText } from "./terminal-text.js";

const HEAD = ["lease", "ttl", "granted"];
const RIGHT = { right: [0, 1, 2] };

export class LeaseWriter {
  readonly #output: Output;
  readonly #list: JsonList;
  readonly #rows: string[][] = [];

  constructor(output: Output) {
    this.#output = output;
    this.#list = new JsonList(output, "leases");
  }

  /** The id alone is the answer, for scripts. */
  async granted(lease: LeaseInfo & { readonly revision: number }): Promise<void> {
    const output = this.#output;
    const { id, ttlMs, revision } = lease;
    if (this.#isJson) {
      await output.json({ revision, lease: id.toString(), ttl: secondsText(ttlMs) });
    } else if (output.format === "table") {
      await this.#table(lease);
    } else {
      await output.line(id.toString());
      output.note(`it lives for ${roughText(ttlMs)}; kvctl lease keep-alive ${id} renews it`);
    }
  }

  /** One of a list. */
  async row(lease: LeaseInfo): Promise<void> {
    const output = this.#output;
    if (output.format === "json") await this.#list.item(leaseInfoForm(lease));
    else if (output.format === "jsonl") await output.json(leaseInfoForm(lease));
    else if (output.format === "table") this.#rows.push(cells(lease));
    else await output.line(cells(lease).join("\t"));
  }

  async end(): Promise<void> {
    const output = this.#output;
    if (output.format === "json") await this.#list.end({});
    if (output.format === "table") await output.line(await tableText(HEAD, this.#rows, RIGHT));
  }

  async info(lease: LeaseKeys, { withKeys }: { readonly withKeys: boolean }): Promise<void> {
    const output = this.#output;
    if (this.#isJson) {
      const keys = lease.keyBytes.map((key) => bytesForm("key", key));
      const rest = withKeys ? { keys, more: lease.more } : {};
      await output.json({ ...leaseInfoForm(lease), ...rest });
      return;
    }
    const keys = lease.keyBytes.map(lineText);
    if (output.format === "table") {
      await this.#table(lease);
      if (withKeys)
        await output.line(
          await tableText(
            ["key"],
            keys.map((key) => [key]),
          ),
        );
    } else {
      const { ttlMs, grantedTtlMs } = lease;
      await output.line(`ttl ${roughText(ttlMs)} of ${roughText(grantedTtlMs)}`);
      for (const key of keys) await output.line(key);
    }
    if (lease.more) output.note("there are more keys than one answer holds");
  }

  /** One of many renewals is a line; the only one is a document. */
  async renewed(id: bigint, ttlMs: number, { last }: { readonly last: boolean }): Promise<void> {
    const output = this.#output;
    const form = { lease: id.toString(), ttl: secondsText(ttlMs) };
    if (this.#isJson && last) await output.json(form);
    else if (this.#isJson) await output.line(JSON.stringify(form));
    else if (!output.quiet) await output.line(`lease ${id}, ttl ${roughText(ttlMs)}`);
  }

  async revoked(
    id: bigint,
    { revision, deleted }: { readonly revision: number; readonly deleted: number },
  ): Promise<void> {
    const output = this.#output;
    if (this.#isJson) await output.json({ revision, lease: id.toString(), deleted });
    else if (!output.quiet) await output.line(`deleted ${deleted}, revision ${revision}`);
  }

  async #table(lease: LeaseInfo): Promise<void> {
    await this.#output.line(await tableText(HEAD, [cells(lease)], RIGHT));
  }

  get #isJson(): boolean {
    return this.#output.format === "json" || this.#output.format === "jsonl";
  }
}

function cells({ id, ttlMs, grantedTtlMs }: LeaseInfo): string[] {
  return [id.toString(), secondsText(ttlMs), secondsText(grantedTtlMs)];
}
