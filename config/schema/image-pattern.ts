import { Expected } from './field.ts';

/** The longest name clients send (255) with the longest tag (128), and its colon. */
const LENGTH_LIMIT = 384;

/**
 * Names come from whoever can reach the gateway, and a matcher's work grows with the power of the wildcards that
 * can take the same letters: three keep the worst name far below a millisecond's work.
 */
const WILDCARDS_LIMIT = 3;

const SHAPE = 'a pattern of lower-case name parts, *, ** and perhaps :tag at the end';

/**
 * The syntax of `images`: parts with `*` for anything within the part, `**` alone for any number of parts, `:tag` with `*`
 * at the end. A colon after the last slash is a tag's, one before it a port's.
 * @returns the pattern
 * @throws Expected for what is no pattern, and for what no image name could ever match
 */
export function checkImagePattern(text: string): string {
  if (text.length > LENGTH_LIMIT) throw new Expected(`a pattern of at most ${LENGTH_LIMIT} characters`);
  if (text.includes('@')) throw new Expected(SHAPE, 'a pattern names repositories and tags, not digests');
  const colon = text.lastIndexOf(':');
  const tagged = colon > text.lastIndexOf('/');
  const parts = (tagged ? text.slice(0, colon) : text).split('/');
  if (tagged) checkTag(text.slice(colon + 1));
  parts.forEach(checkPart);
  checkParts(parts);
  return text;
}

function checkTag(tag: string): void {
  if (!/^[A-Za-z0-9_.*-]{1,128}$/.test(tag) || /^[.-]/.test(tag)) {
    throw new Expected('a tag after the last colon', 'letters, digits, "_", ".", "-" and *');
  }
  checkWildcards(tag, 'the tag');
}

function checkPart(part: string, at: number): void {
  if (part === '**') return;
  if (part === '') throw new Expected(SHAPE, 'no slash at either end, and no two in a row');
  if (/[A-Z]/.test(part)) throw new Expected(SHAPE, 'names of repositories have no capital letters');
  // Only the first part, a registry's host, can have a port.
  const name = at === 0 ? part.replace(/:[0-9]{1,5}$/, '') : part;
  if (!/^[a-z0-9._*-]+$/.test(name)) throw new Expected(SHAPE, 'letters, digits, ".", "_", "-" and * between slashes');
  if (!/^[a-z0-9*].*$/.test(name) || !/[a-z0-9*]$/.test(name)) {
    throw new Expected(SHAPE, 'no name part begins or ends with ".", "_" or "-"');
  }
  checkWildcards(name, 'a part');
}

function checkWildcards(glob: string, where: string): void {
  if (glob.includes('**')) throw new Expected(SHAPE, '** stands alone between slashes');
  if (glob.split('*').length - 1 > WILDCARDS_LIMIT) throw new Expected(`at most ${WILDCARDS_LIMIT} * in ${where}`);
}

function checkParts(parts: readonly string[]): void {
  if (parts.length === 1 && parts[0] !== '**') {
    const hint = 'names begin with the upstream: docker.io/library/nginx; ** alone is every image';
    throw new Expected('an upstream and a repository', hint);
  }
  if (parts.some((part, at) => part === '**' && parts[at + 1] === '**')) throw new Expected(SHAPE, '**/** is **');
  if (parts.filter((part) => part === '**').length > WILDCARDS_LIMIT) {
    throw new Expected(`at most ${WILDCARDS_LIMIT} ** in a pattern`);
  }
}
