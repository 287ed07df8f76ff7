import type { Log } from '../../oci/log.ts';

export interface LogLine {
  readonly level: keyof Log;
  readonly facts: object;
  readonly text: string;
}

/** A log that keeps its lines for a test to look at. */
export class RecordingLog implements Log {
  readonly lines: LogLine[] = [];
  readonly #awaited: { readonly text: string; readonly resolve: (line: LogLine) => void }[] = [];

  debug(facts: object, text: string): void {
    this.#write({ level: 'debug', facts, text });
  }

  info(facts: object, text: string): void {
    this.#write({ level: 'info', facts, text });
  }

  warn(facts: object, text: string): void {
    this.#write({ level: 'warn', facts, text });
  }

  error(facts: object, text: string): void {
    this.#write({ level: 'error', facts, text });
  }

  /** The first line with this text, as soon as it is there. */
  line(text: string): Promise<LogLine> {
    const there = this.lines.find((line) => line.text === text);
    if (there !== undefined) return Promise.resolve(there);
    const { promise, resolve } = Promise.withResolvers<LogLine>();
    this.#awaited.push({ text, resolve });
    return promise;
  }

  at(level: keyof Log): readonly LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }

  #write(line: LogLine): void {
    this.lines.push(line);
    for (const { text, resolve } of this.#awaited) {
      if (text === line.text) resolve(line);
    }
  }
}
