import { type ErrorAnswer, PHRASE_LIMIT, plainLine } from './error-response.ts';

/** Of a request, what the form of a refusal goes by: a client's text, so the decision has been made before this is read. */
export interface AskedOfMirror {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
}

/**
 * The text of ESRCH, which dockerd never goes on after (moby, `continueOnError`): the one word that its classic image
 * store takes for final from a mirror, whatever the kind of image.
 */
const MARKER = '[no such process]';

/** containerd's resolver: containerd itself, Docker's containerd image store, BuildKit. */
const CONTAINERD_FAMILY = /(?:^|[ (])(?:containerd|containerd-client|buildkit)\//i;

/** dockerd repeats what its own client called itself; that says nothing of how dockerd pulls. */
const REPEATED = /UpstreamClient\((?:[^()\\]|\\.)*\)/g;

/**
 * The same "no", in the form that makes a client stop and show our sentence. After an ordinary one dockerd and containerd go on
 * to the registry itself, whatever the status. Every no, for a 404 too would be asked again there:
 *
 * - HEAD by the containerd family: 300 without a Location. Its resolver tries the next host after any 4xx and 5xx, and gives up
 *   at a redirect that it cannot follow.
 * - HEAD by others: as ever. dockerd takes 200 to 399 for "exists", and after an error asks again with GET.
 * - GET: 501 with dockerd's final word in the reason phrase, all that it reads of a 5xx.
 * - GET of a blob that waiting does not bring: 403 `DENIED`, the final word in the message. dockerd repeats a blob after a 5xx
 *   for more than a minute, which is right only where that may help.
 *
 * Never 401: dockerd would answer a challenge with the user's password for Docker Hub. What writes is no pull, and is not changed.
 */
export function mirrorAnswer(answer: ErrorAnswer, { method, path, userAgent }: AskedOfMirror): ErrorAnswer {
  const message = named(answer.message);
  if (method === 'HEAD') return { ...answer, message, status: statusOfHead(answer, userAgent) };
  if (method !== 'GET') return answer;
  const phrase = final(message);
  if (isBlob(path) && !mayPass(answer)) return { ...answer, status: 403, code: 'DENIED', message: phrase, phrase };
  return { ...answer, message, status: 501, phrase };
}

/** Whether a client is bound to the digest once it has resolved the name; others begin anew elsewhere, with the tag. */
export function keepsToDigest(userAgent: string): boolean {
  return CONTAINERD_FAMILY.test(userAgent.replace(REPEATED, ''));
}

function statusOfHead({ status }: ErrorAnswer, userAgent: string): number {
  if (keepsToDigest(userAgent)) return 300;
  return status === 401 ? 403 : status;
}

/** The client shows it without saying who said so. */
function named(message: string): string {
  return message.startsWith('DockLock') ? message : `DockLock: ${message}`;
}

/** The marker goes last, and is what a long sentence makes room for. */
function final(message: string): string {
  return `${plainLine(message)
    .slice(0, PHRASE_LIMIT - MARKER.length - 1)
    .trim()} ${MARKER}`;
}

function isBlob(path: string): boolean {
  return /\/blobs\/[^/]+$/.test(path);
}

function mayPass({ status }: ErrorAnswer): boolean {
  return status >= 500 || status === 429;
}
