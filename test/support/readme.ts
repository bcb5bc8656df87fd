// The commands and programs of a document, so that tests can run them: fenced blocks, and in
// those of a console the commands after `$ `, each with what it should print.

export interface Block {
  /** What stands after the fence: console, sh, ts. */
  readonly language: string;
  readonly text: string;
}

export interface ConsoleStep {
  readonly command: string;
  readonly prints: string;
}

const FENCED = /^```(\w*)\n(.*?)^```$/gms;

export function blocksOf(document: string): readonly Block[] {
  return [...document.matchAll(FENCED)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Lines up to the next `$ ` are what is printed; a `\` at the end of a command's line goes on. */
export function consoleSteps(text: string): readonly ConsoleStep[] {
  const steps = text.split(/^\$ /m).slice(1);
  return steps.map((step) => {
    const command = /^(?:.*\\\n)*.*\n/.exec(step)?.[0] ?? "";
    return { command: command.trimEnd(), prints: step.slice(command.length) };
  });
}

/** What a program says that it prints: a comment after each `console.log`. */
export function printedBy(program: string): readonly string[] {
  return [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = ""]) => text);
}
