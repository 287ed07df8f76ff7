/**
 * The publisher cannot do what was asked: the folder, a key or a file is not what it must be. Says what was expected, what
 * came and what to do. Nothing was changed when it is thrown, unless it says so.
 */
export class PublishError extends Error {
  override readonly name = 'PublishError';
}

/** Longest foreign text echoed in a message: enough to recognise it, too short to flood a terminal. */
const ECHO_LIMIT = 80;

/** Foreign text, quoted and cut. Quoting also disarms control characters meant for a terminal. */
export function echo(text: string): string {
  return JSON.stringify(text.slice(0, ECHO_LIMIT));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
