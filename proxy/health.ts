import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FolderCondition } from '../cache/data-folder.ts';
import type { Log } from '../oci/log.ts';

export interface HealthOptions {
  /** Whether the data folder can be written. */
  readonly storage: () => Promise<FolderCondition>;
  /** What is wrong with the trust, in a few lines that anybody may read. */
  readonly troubles: () => readonly string[];
  readonly log: Log;
  readonly now: () => Date;
}

/** What `/readyz` says, and in its body calls itself. */
export type Readiness = 'ready' | 'starting' | 'draining' | 'storage-unwritable';

/** Milliseconds. Whoever asked `/readyz` within them is taken to ask again: a balancer asks every few seconds. */
const WATCHED_FOR = 5 * 60_000;

/**
 * What supervisors and load balancers ask, on every listener. `/healthz`: the process lives; when it does not answer, a
 * restart may help. `/readyz`: whether traffic should come here rather than to another gateway. Trust that is in trouble
 * is so in every one of them, and concerns some images only: it is said in the body, and changes no status.
 */
export class Health {
  readonly #options: HealthOptions;
  #phase: 'ready' | 'starting' | 'draining' = 'starting';
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Traffic may come. */
  ready(): void {
    this.#phase = 'ready';
  }

  /** Traffic should go elsewhere; for good. */
  drain(): void {
    this.#phase = 'draining';
  }

  /** Whether a balancer is there to notice. */
  get isWatched(): boolean {
    return this.#options.now().getTime() - this.#askedAt < WATCHED_FOR;
  }

  /** Answers the two, and leaves the rest to another. Before the access log: every few seconds would fill it. */
  before(next: RequestListener): RequestListener {
    return (request, response) => {
      const path = request.url?.split('?', 1)[0];
      if (path !== '/healthz' && path !== '/readyz') return next(request, response);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        return send(request, response, 405, { status: 'unsupported' });
      }
      if (path === '/healthz') return send(request, response, 200, { status: 'alive' });
      void this.#answerReadiness(request, response);
    };
  }

  async #answerReadiness(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { storage, troubles, log, now } = this.#options;
    this.#askedAt = now().getTime();
    try {
      const condition = await storage();
      const warnings = condition === 'full' ? ['the disk of the data folder is full', ...troubles()] : troubles();
      const status = this.#readiness(condition);
      send(request, response, status === 'ready' ? 200 : 503, { status, warnings });
    } catch (error) {
      log.error({ err: error }, 'unexpected error on the way to /readyz');
      send(request, response, 503, { status: 'unknown' });
    }
  }

  /** A full disk is no reason to leave: gateways fill up together, and pulls go on without the cache. */
  #readiness(condition: FolderCondition): Readiness {
    if (this.#phase !== 'ready') return this.#phase;
    return condition === 'unwritable' ? 'storage-unwritable' : 'ready';
  }
}

function send(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-store',
    // A body that nobody reads must not stand before the next request.
    ...(hasBody(request) ? { Connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
