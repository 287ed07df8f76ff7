import { UpstreamError } from './upstream-error.ts';

/** What a 401 asks for. RFC 9110 section 11.6.1; for Bearer, the distribution-spec's token authentication. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

/** Far above any real challenge (a few hundred bytes); bounds the work that a header can make. */
const CHALLENGE_LIMIT = 4096;
const PARAMETER_LIMIT = 32;

/** `token68` never occurs with Basic and Bearer challenges, so it is not part of this grammar. */
const SCHEME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const PARAMETER =
  /[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))/y;
const SEPARATOR = /[ \t]*,[ \t,]*/y;
const SPACE = /[ \t]+/y;

interface Parsed {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The strongest challenge we can meet, Bearer before Basic.
 * @param host named in errors
 * @throws UpstreamError denied without a header; bad-answer for one with neither scheme, or a Bearer without realm
 */
export function parseChallenge(header: string | undefined, host: string): Challenge {
  if (header === undefined) {
    throw new UpstreamError('denied', `expected success from ${host}, got status 401 and no challenge`, {
      status: 401,
    });
  }
  if (header.length > CHALLENGE_LIMIT) throw unreadable(host);
  const challenges = new ChallengeReader(header, host).all();
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) {
    const realm = bearer.parameters.get('realm');
    if (realm === undefined || realm === '') throw unreadable(host);
    return {
      scheme: 'bearer',
      realm,
      service: bearer.parameters.get('service'),
      scope: bearer.parameters.get('scope'),
    };
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { scheme: 'basic' };
  throw unreadable(host);
}

class ChallengeReader {
  readonly #text: string;
  readonly #host: string;
  #at = 0;

  constructor(text: string, host: string) {
    this.#text = text;
    this.#host = host;
  }

  all(): Parsed[] {
    const challenges: Parsed[] = [];
    this.#skip(SEPARATOR);
    while (this.#at < this.#text.length) {
      challenges.push(this.#challenge());
      if (this.#at < this.#text.length && !this.#skip(SEPARATOR)) throw unreadable(this.#host);
    }
    return challenges;
  }

  #challenge(): Parsed {
    const scheme = this.#match(SCHEME)?.[0];
    if (scheme === undefined) throw unreadable(this.#host);
    const parameters = new Map<string, string>();
    if (this.#skip(SPACE)) this.#parameters(parameters);
    return { scheme: scheme.toLowerCase(), parameters };
  }

  #parameters(into: Map<string, string>): void {
    for (;;) {
      const before = this.#at;
      if (into.size > 0 && !this.#skip(SEPARATOR)) return;
      const parameter = this.#match(PARAMETER);
      if (parameter === undefined) {
        // The comma belonged to the list of challenges: what follows is the next scheme.
        this.#at = before;
        return;
      }
      const [, name = '', quoted, token = ''] = parameter;
      // A second realm would let two readers of one header disagree on where the credentials go.
      if (into.has(name.toLowerCase()) || into.size >= PARAMETER_LIMIT) throw unreadable(this.#host);
      into.set(name.toLowerCase(), quoted === undefined ? token : quoted.replace(/\\(.)/g, '$1'));
    }
  }

  #skip(pattern: RegExp): boolean {
    return this.#match(pattern) !== undefined;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern);
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text);
    if (found === null) return undefined;
    this.#at = sticky.lastIndex;
    return found;
  }
}

function unreadable(host: string): UpstreamError {
  return new UpstreamError('bad-answer', `expected a Bearer or Basic challenge from ${host} with its 401, got none`, {
    status: 401,
  });
}
