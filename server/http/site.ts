// Every request over HTTP/1: first the guard, then the pages, then the gateway.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Answer, sendAnswer } from "./answer.js";
import type { Gateway } from "./gateway.js";
import { refusalOf } from "./guard.js";
import type { Pages } from "./pages.js";
import { toOriginForm } from "./target.js";

export interface SiteOptions {
  readonly pages: Pages;
  /** Undefined: there is none. */
  readonly gateway: Gateway | undefined;
  /** Names that a request may be for, besides addresses and localhost. */
  readonly allowedHosts: readonly string[];
}

/** What etcd has called its prefix over the versions. */
const GATEWAY_PATH = /^\/v3(?:beta|alpha)?\/(.+)$/;

export class Site {
  readonly #options: SiteOptions;
  readonly #allowedHosts: ReadonlySet<string>;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#allowedHosts = new Set(options.allowedHosts.map((name) => name.toLowerCase()));
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    toOriginForm(request);
    const { method = "", url = "", headers } = request;
    const refusal = refusalOf({ method, headers }, this.#allowedHosts);
    if (refusal !== undefined) {
      sendAnswer(response, refusal);
      return;
    }
    const [path = "", query = ""] = url.split("?", 2);
    const { pages, gateway } = this.#options;
    const route = GATEWAY_PATH.exec(path)?.[1];
    const served = route === undefined ? undefined : gateway?.serve(route, request, response);
    if (served !== undefined) {
      await served;
      return;
    }
    const page = await pages.answer(method, path, new URLSearchParams(query));
    sendAnswer(response, page ?? nothingAt(path));
  }
}

function nothingAt(path: string): Answer {
  const shown = JSON.stringify(path.slice(0, 100));
  return { status: 404, text: `kvd: there is nothing at ${shown}. GET / says what there is.\n` };
}
