// A JSON document around a list of any length, item by item, so that no list is held in memory.

import type { Output } from "./output.js";

export class JsonList {
  readonly #output: Output;
  readonly #name: string;
  #items = 0;

  /** `name` is the member that the list is. */
  constructor(output: Output, name: string) {
    this.#output = output;
    this.#name = name;
  }

  async item(value: unknown): Promise<void> {
    const before = this.#items === 0 ? `{\n  ${JSON.stringify(this.#name)}: [\n` : ",\n";
    this.#items += 1;
    await this.#output.write(`${before}    ${this.#output.jsonText(JSON.stringify(value))}`);
  }

  /** The members after the list, and the end of the document. */
  async end(rest: object): Promise<void> {
    const list = this.#items === 0 ? `{\n  ${JSON.stringify(this.#name)}: []` : "\n  ]";
    const members = Object.entries(rest).map(
      ([name, value]) => `,\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
    );
    await this.#output.line(`${list}${members.join("")}\n}`);
  }
}
