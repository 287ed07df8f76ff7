import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Log } from '../oci/log.ts';
import { parseFileName, type RepositoryFolder } from './repository-folder.ts';

/** A version never changes; the timestamp is what clients come for. Seconds. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const ALWAYS_ASK = 'no-cache';

/** Serves the metadata folder, and nothing else of the repository: GET and HEAD only, at `/` and at `/metadata/`. */
export function metadataHandler(folder: RepositoryFolder, log: Log, healthy: () => boolean): RequestListener {
  return (request, response) => {
    answer(folder, healthy, request, response).catch((error: unknown) => {
      log.error({ err: error, url: request.url }, 'a request failed');
      if (response.headersSent) response.destroy();
      else plain(response, 500, 'internal error');
    });
  };
}

async function answer(
  folder: RepositoryFolder,
  healthy: () => boolean,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plain(response, 405, 'only GET and HEAD: the repository is written with docklock vouch and docklock tuf');
  }
  const path = url.split('?', 1)[0] ?? '/';
  if (path === '/healthz') return healthy() ? plain(response, 200, 'fresh') : plain(response, 503, 'not fresh');
  // Names alone decide, so no path leads out of the folder; percent signs are in none of them.
  const name = path.replace(/^\/(?:metadata\/)?/, '');
  const versioned = parseFileName(name) !== undefined;
  if (!versioned && name !== 'timestamp.json') return plain(response, 404, 'no such file');
  const bytes = await folder.findMetadata(name);
  if (bytes === undefined) return plain(response, 404, 'no such file');
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'Cache-Control': versioned ? IMMUTABLE : ALWAYS_ASK,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : bytes);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}
