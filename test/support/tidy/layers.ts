// Who may import whom: the layer table of docs/architecture.md, and what tests may reach for.

import { posix } from "node:path";
import { type Finding, importsOf, type Source } from "./source.js";

interface Layer {
  /** Its files, and those of folders below that have no row of their own, unless it is flat. */
  readonly folder: string;
  readonly flat?: true;
  /** Folders and files of ours, besides its own. */
  readonly ours: readonly string[];
  /** Packages; undefined: any. */
  readonly packages: readonly string[] | undefined;
  /** Modules of Node; undefined: any. */
  readonly builtIns?: readonly string[];
  /** What to do instead. */
  readonly instead: string;
}

const GRPC = ["@grpc/grpc-js", "@bufbuild/protobuf"];

/** The deepest row that holds a file counts. */
const LAYERS: readonly Layer[] = [
  {
    folder: "server/kv",
    ours: [],
    packages: [],
    builtIns: [],
    instead: "the vocabulary imports nothing: pass it in, or move it to the layer that needs it",
  },
  {
    folder: "server/lib",
    ours: [],
    packages: ["sorted-btree"],
    instead: "lib knows nothing of ours: pass it in; a library is wrapped by one file",
  },
  {
    folder: "server/store",
    ours: ["server/kv", "server/lib"],
    packages: [],
    builtIns: ["node:assert/strict"],
    instead: "the store takes time, randomness and files as arguments",
  },
  {
    folder: "server/wal",
    ours: [
      "server/kv",
      "server/lib",
      "server/store/backend.ts",
      "server/store/image.ts",
      "server/store/row-cursor.ts",
      "server/store/row-layout.ts",
      "server/store/rows.ts",
    ],
    packages: [],
    instead: "files know the shapes of the store, not the store: an engine brings them together",
  },
  {
    folder: "server/engines",
    ours: ["server/kv", "server/store", "server/wal", "server/lib"],
    packages: [],
    instead: "an engine speaks the words of server/kv; surfaces translate in server/rpc",
  },
  {
    folder: "server/http2",
    ours: ["server/lib"],
    packages: [],
    builtIns: ["node:net"],
    instead: "it knows frames, fields and windows; what they carry is the matter of server/grpc",
  },
  {
    folder: "server/grpc",
    ours: ["server/kv", "server/lib", "server/http2", "gen/grpc/grpc"],
    packages: GRPC,
    instead: "it carries calls of any service: what they mean is the matter of rpc and etcd",
  },
  {
    folder: "server/rpc",
    ours: ["server/kv", "server/lib", "server/grpc", "gen"],
    packages: GRPC,
    instead: "a surface knows the Engine of server/kv/engine.ts only; server/server.ts wires it",
  },
  {
    folder: "server/etcd",
    ours: ["server/kv", "server/lib", "server/grpc", "gen"],
    packages: GRPC,
    instead: "a surface knows the Engine of server/kv/engine.ts only; server/server.ts wires it",
  },
  {
    folder: "server/http",
    ours: ["server/kv", "server/lib", "server/grpc", "gen"],
    packages: GRPC,
    instead: "it carries calls of services over HTTP/1; server/server.ts wires it",
  },
  {
    folder: "server",
    flat: true,
    ours: ["server"],
    packages: ["commander", "pino", "smol-toml"],
    instead: "the process reads, wires and logs; put the rest into a layer below",
  },
  {
    folder: "client",
    flat: true,
    ours: ["gen"],
    packages: GRPC,
    instead: "the client knows the contract only: gen/",
  },
  {
    folder: "client/cli",
    ours: ["client/index.ts"],
    packages: ["commander", "cli-progress", "cli-table3", "csv-parse", "smol-toml"],
    instead: "kvctl uses the public names of client/index.ts",
  },
  {
    folder: "bench",
    ours: ["client/index.ts", "server/server.ts", "gen"],
    packages: undefined,
    instead: "a figure is measured through what users have",
  },
  {
    folder: "examples",
    ours: ["client/index.ts", "server/server.ts"],
    packages: undefined,
    instead: "an example uses what the package exports",
  },
  {
    folder: "tools",
    ours: [],
    packages: ["@bufbuild/protobuf", "esbuild"],
    instead: "a tool reads what was built, and imports none of it",
  },
  {
    folder: "test",
    ours: ["server", "client", "gen", "examples", "tools", "bench", "test"],
    packages: undefined,
    instead: "what tests share is in test/support",
  },
  {
    folder: "test/e2e",
    ours: ["test/support", "client/index.ts", "gen", "examples"],
    packages: undefined,
    instead: "an e2e test speaks to spawned processes; see test/support/process.ts",
  },
  {
    folder: "test/conformance/suites",
    ours: ["test/conformance", "test/support", "server/kv"],
    packages: ["ava"],
    instead: "a suite knows the Engine only, and gets one from its factory",
  },
];

/** A naive model that shares code with the store would share its mistakes. */
const MODEL = /^test\/support\/model(?!-run\.)[\w-]*\.ts$/;
const MODEL_LAYER: Layer = {
  folder: "test/support/model*.ts",
  ours: ["server/kv", "server/lib/clock.ts"],
  packages: [],
  instead: "the model shares no code with the store: write it anew, naively",
};

const EXECUTABLES = ["server/main.ts", "client/cli/main.ts"];

export function layerFindings(source: Source): Finding[] {
  const layer = layerOf(source.path);
  const found: Finding[] = [];
  for (const { specifier, line } of importsOf(source)) {
    const why =
      layer === undefined
        ? "its folder has no row in test/support/tidy/layers.ts and docs/architecture.md: add one"
        : refusal(source, layer, specifier);
    if (why !== undefined) found.push({ path: source.path, line, text: why });
  }
  return found;
}

function refusal(source: Source, layer: Layer, specifier: string | undefined): string | undefined {
  if (specifier === undefined) return "a computed import hides its layer: import a literal";
  const no = (what: string) => `${layer.folder} may not import ${what}: ${layer.instead}`;
  if (specifier.startsWith("node:")) {
    const { builtIns } = layer;
    return builtIns === undefined || builtIns.includes(specifier) ? undefined : no(specifier);
  }
  if (!specifier.startsWith(".")) {
    const { packages } = layer;
    const name = packageName(specifier);
    return packages === undefined || packages.includes(name) ? undefined : no(name);
  }
  const target = targetOf(source.path, specifier);
  if (EXECUTABLES.includes(target)) return `importing ${target} starts a process: spawn it`;
  const own = layerOf(target) === layer;
  const named = layer.ours.some((folder) => target === folder || inside(target, folder));
  return own || named ? undefined : no(target);
}

function layerOf(path: string): Layer | undefined {
  if (MODEL.test(path)) return MODEL_LAYER;
  return LAYERS.filter((layer) => isRowOf(layer, path)).sort(
    (one, other) => other.folder.length - one.folder.length,
  )[0];
}

function isRowOf({ folder, flat }: Layer, path: string): boolean {
  return flat === true ? posix.dirname(path) === folder : inside(path, folder);
}

function inside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The source that a relative specifier means. */
export function targetOf(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts");
}
