// The Python that has a module: Debian's, where another one comes first in PATH.

import { spawnSync } from "node:child_process";

/** Undefined when none has it. */
export function pythonWith(module: string): string | undefined {
  const found = (python: string) => spawnSync(python, ["-c", `import ${module}`]).status === 0;
  return ["python3", "/usr/bin/python3"].find(found);
}
