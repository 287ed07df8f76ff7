/** The slice of a logger that every folder may ask for; pino fits it, and so does a one-line fake. */
export interface Log {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}
