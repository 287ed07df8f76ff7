import assert from 'node:assert/strict';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface OciError {
  readonly code: string;
  readonly message: string;
  readonly detail?: { readonly reason?: string };
}

/** What an answer tells its client, in one line for a table: `200`, `403 DENIED NOT_SIGNED`, `404 MANIFEST_UNKNOWN`. */
export function told({ status, body }: Answer): string {
  if (status < 400) return `${status}`;
  const { code, detail } = errorIn({ body });
  return [status, code, detail?.reason].filter((word) => word !== undefined).join(' ');
}

/** The one error of an answer in the distribution-spec's form. The body may be the bytes of the JSON. */
export function errorIn({ body }: Pick<Answer, 'body'>): OciError {
  const value = Buffer.isBuffer(body) || typeof body === 'string' ? JSON.parse(String(body)) : body;
  const { errors } = value as { errors: OciError[] };
  assert.equal(errors.length, 1);
  const [error] = errors;
  assert.ok(error !== undefined);
  return error;
}
