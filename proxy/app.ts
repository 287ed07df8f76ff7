import type { IncomingMessage } from 'node:http';
import Koa, { type Context, type Next } from 'koa';
import type { Log } from '../oci/log.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { DeniedError } from './denial.ts';
import { type AnswerForm, respondWithError } from './error-response.ts';
import type { ListenerRole } from './listener-role.ts';
import { mirrorAnswer } from './mirror-answer.ts';
import { routesOf, type Stories } from './routes.ts';

/** How each kind of listener says no. */
const FORMS: Record<ListenerRole, AnswerForm> = {
  registry: (answer) => answer,
  mirror: (answer, { method, path, headers }) =>
    mirrorAnswer(answer, { method, path, userAgent: headers['user-agent'] ?? '' }),
};

/** The gateway as an HTTP application for listeners of one role: access log, error boundary, what is not a read, routes. */
export function gatewayApp(stories: Stories, log: Log, role: ListenerRole): Koa {
  const app = new Koa();
  app.use(accessLog(log));
  app.use(errorBoundary(log, FORMS[role]));
  app.use(readsOnly);
  app.use(routesOf(stories, role));
  app.use(unknownRoute);
  // What escapes the boundary is a connection that broke while an answer was on its way.
  app.on('error', (error: Error) => log.debug({ error: error.message }, 'connection ended early'));
  return app;
}

function accessLog(log: Log) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const started = performance.now();
    ctx.res.once('close', () => {
      // A mirror's refusal is sent in a form of its own; what is counted is what was meant.
      const { status = ctx.res.statusCode, reason } = ctx.state.meant ?? {};
      log.info(
        {
          method: ctx.method,
          path: ctx.path,
          status,
          reason,
          sent: status === ctx.res.statusCode ? undefined : ctx.res.statusCode,
          whole: ctx.res.writableFinished,
          ms: Math.round(performance.now() - started),
          client: ctx.req.socket.remoteAddress,
          agent: ctx.get('User-Agent').slice(0, 200),
          image: ctx.state.image,
        },
        'request',
      );
    });
    await next();
  };
}

function errorBoundary(log: Log, form: AnswerForm) {
  return async (ctx: Context, next: Next): Promise<void> => {
    ctx.set('Docker-Distribution-Api-Version', 'registry/2.0');
    // Answers are for this asker and this moment: a cache in between would serve yesterday's verdict.
    ctx.set('Cache-Control', 'no-store');
    try {
      await next();
    } catch (error) {
      if (error instanceof DeniedError) recordDenial(error, log);
      respondWithError(ctx, error, log, form);
    }
  };
}

/** Every denial, whatever story it ended: the line that operators count. */
function recordDenial({ image, verdict }: DeniedError, log: Log): void {
  const { outcome, reason, rule, authority } = verdict;
  log.warn({ event: 'denied', image, outcome, reason, rule, authority }, verdict.message);
}

/**
 * A path that everybody on the way reads alike. An absolute URI names another server than the one that answers, and `\`, `#`,
 * or what no name, tag or digest needs encoded (`/`, `\`, `.`, `%`, NUL) only serve to mean two paths.
 */
const PLAIN_PATH = /^\/(?:[\w.~:/@+-]|%(?!2f|5c|2e|25|00)[\da-f]{2})*$/i;

async function readsOnly(ctx: Context, next: Next): Promise<void> {
  // A body is not read, whatever the method: the connection cannot be used again after it, and is not kept to drain it.
  if (hasBody(ctx.req)) ctx.set('Connection', 'close');
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    ctx.set('Allow', 'GET, HEAD');
    throw new RegistryError('UNSUPPORTED', 'this gateway only serves pulls; push to the upstream registry itself');
  }
  const path = ctx.req.url?.split('?', 1)[0] ?? '';
  if (!PLAIN_PATH.test(path)) {
    throw new RegistryError('NAME_INVALID', 'expected a plain path, without backslashes or encoded slashes and dots');
  }
  await next();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

async function unknownRoute(ctx: Context): Promise<void> {
  throw new RegistryError('NAME_UNKNOWN', `nothing is served at ${JSON.stringify(ctx.path.slice(0, 120))}`);
}
