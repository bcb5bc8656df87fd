// What is there to GET: health, versions and metrics, for probes, monitors and etcd's clients.

import type { Engine, EngineStatus } from "../kv/engine.js";
import { KvdError } from "../kv/errors.js";
import { type Answer, JSON_TYPE } from "./answer.js";

export interface PagesOptions {
  readonly engine: Engine;
  /** Of kvd. */
  readonly version: string;
  /** The version of etcd that is spoken; undefined: none. */
  readonly etcdVersion: string | undefined;
}

type Page = (query: URLSearchParams) => Answer | Promise<Answer>;

const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export class Pages {
  readonly #options: PagesOptions;
  readonly #pages: ReadonlyMap<string, Page>;
  #failure: Error | undefined;

  constructor(options: PagesOptions) {
    this.#options = options;
    options.engine.failed.then((error) => {
      this.#failure = error;
    });
    const { etcdVersion } = options;
    this.#pages = new Map<string, Page>([
      ["/", () => this.#index()],
      ["/health", () => this.#health()],
      ["/livez", (query) => this.#probe(query)],
      ["/readyz", (query) => this.#probe(query)],
      ["/metrics", () => this.#metrics()],
      ...(etcdVersion === undefined
        ? []
        : ([["/version", () => versions(etcdVersion)]] as [string, Page][])),
    ]);
  }

  /** Undefined when there is no such page. */
  async answer(method: string, path: string, query: URLSearchParams): Promise<Answer | undefined> {
    const page = this.#pages.get(path);
    if (page === undefined || method === "GET" || method === "HEAD") return page?.(query);
    return { status: 405, text: `kvd: ${path} takes GET.\n`, allow: "GET, HEAD" };
  }

  #index(): Answer {
    const { version, etcdVersion } = this.#options;
    const etcd = etcdVersion === undefined ? "" : `, and etcd's protocol, version ${etcdVersion}`;
    const json = etcdVersion === undefined ? "" : " /version, and etcd's JSON: POST /v3/…";
    const text =
      `kvd ${version}: this port speaks gRPC (kvd.v1${etcd}).\n` +
      `Over HTTP/1 there are /health /livez /readyz /metrics${json}\n`;
    return { status: 200, text };
  }

  #health(): Answer {
    const reason = this.#failure === undefined ? "" : "the log has failed: restart kvd";
    const text = JSON.stringify({ health: String(this.#failure === undefined), reason });
    return { status: this.#failure === undefined ? 200 : 503, text, type: JSON_TYPE };
  }

  #probe(query: URLSearchParams): Answer {
    const isOk = this.#failure === undefined;
    const detail = isOk ? "[+]log ok\n" : "[-]log failed: restart kvd\n";
    const text = `${query.has("verbose") || !isOk ? detail : ""}${isOk ? "ok" : "failed"}\n`;
    return { status: isOk ? 200 : 503, text };
  }

  async #metrics(): Promise<Answer> {
    try {
      const gauges = Object.entries(metricsOf(await this.#options.engine.status()));
      const text = gauges.map(([name, value]) => gauge(name, value)).join("");
      return { status: 200, text, type: PROMETHEUS_TYPE };
    } catch (error) {
      if (!(error instanceof KvdError)) throw error;
      return { status: 503, text: `kvd: ${error.message}\n` };
    }
  }
}

function versions(etcdVersion: string): Answer {
  const cluster = etcdVersion.replace(/\.\d+$/, ".0");
  const text = JSON.stringify({ etcdserver: etcdVersion, etcdcluster: cluster });
  return { status: 200, text, type: JSON_TYPE };
}

/** Names of the process are Prometheus's own. */
function metricsOf(status: EngineStatus): Readonly<Record<string, number>> {
  return {
    process_resident_memory_bytes: process.memoryUsage.rss(),
    process_start_time_seconds: performance.timeOrigin / 1000,
    kvd_revision: status.revision,
    kvd_durable_revision: status.durableRevision,
    kvd_compact_revision: status.compactRevision,
    kvd_keys: status.keys,
    kvd_leases: status.leases,
    kvd_watchers: status.watchers,
    kvd_live_bytes: status.liveBytes,
    kvd_history_bytes: status.historyBytes,
    kvd_disk_bytes: status.diskBytes,
    kvd_problems: status.problems.length,
  };
}

function gauge(name: string, value: number): string {
  return `# TYPE ${name} gauge\n${name} ${value}\n`;
}
