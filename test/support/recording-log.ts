import type { Log } from '../../oci/log.ts';

export interface LogLine {
  readonly level: keyof Log;
  readonly facts: object;
  readonly text: string;
}

/** A log that keeps its lines for a test to look at. */
export class RecordingLog implements Log {
  readonly lines: LogLine[] = [];

  debug(facts: object, text: string): void {
    this.lines.push({ level: 'debug', facts, text });
  }

  info(facts: object, text: string): void {
    this.lines.push({ level: 'info', facts, text });
  }

  warn(facts: object, text: string): void {
    this.lines.push({ level: 'warn', facts, text });
  }

  error(facts: object, text: string): void {
    this.lines.push({ level: 'error', facts, text });
  }

  at(level: keyof Log): readonly LogLine[] {
    return this.lines.filter((line) => line.level === level);
  }
}
