/** Where a value stands in the document: keys of mappings and positions in lists, from the outside in. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration. */
export interface Problem {
  /** `policy[2].require[0]`; empty for the document as a whole. */
  readonly path: string;
  /** Counted from 1; absent when there is no text to point into. */
  readonly line?: number;
  /** Counted from 1. */
  readonly column?: number;
  readonly expected: string;
  /** What was there instead. Never a secret. */
  readonly got: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A problem found in the values, which does not yet know its line. */
export interface Complaint {
  readonly path: Path;
  /** What in the text it is about. Default: the value. */
  readonly part?: 'key' | 'value';
  readonly expected: string;
  readonly got: string;
  readonly hint?: string | undefined;
}

/** The operator wrote something impossible: every problem of the file, in the order of its lines. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The path of the file, as it was given. */
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map((problem) => problemLine(file, problem)).join('\n'), options);
    this.file = file;
    this.problems = problems;
  }
}

/** A line for each problem: `docklock.yaml:14:5 policy[0].mode: expected enforce or warn, got "enforced"`. */
export function formatConfigError(error: ConfigError): string {
  return error.message;
}

/** `["upstreams", "docker.io", "hosts", 0]` as `upstreams["docker.io"].hosts[0]`. */
export function pathText(path: Path): string {
  return path.map(stepText).join('').replace(/^\./, '');
}

/** A key that could be misread, having a dot or a space of its own, is quoted. */
function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

function problemLine(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column ?? 1}`;
  const subject = problem.path === '' ? place : `${place} ${problem.path}`;
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`;
  return `${subject}: expected ${problem.expected}, got ${problem.got}${hint}`;
}
