import { type LookupAddress, lookup } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { type AddressClass, classOf } from './address-class.ts';
import { bareHost, type Reach } from './reach.ts';
import { UpstreamError } from './upstream-error.ts';

/** More at once to one host only slows each; the rest wait in line, within the limit for headers. */
const SOCKETS_PER_HOST = 64;
const FREE_SOCKETS = 16;
/** Shorter than the idle time of common load balancers (60 s), so that a kept socket is rarely a dead one. */
const KEEP_ALIVE_MS = 30_000;

/** All addresses of a name. */
export type Resolve = (hostname: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void;

export interface NetworkOptions {
  /** PEM text: certificate authorities trusted by this upstream's connections, besides the system's. */
  readonly ca?: string | undefined;
  /** Replaced only by tests, which have no names and no public addresses. */
  readonly resolve?: Resolve;
  readonly classOf?: (address: string) => AddressClass;
}

/** The one that fits the URL's scheme. */
export type Agents = { readonly http: HttpAgent } | { readonly https: HttpsAgent };

/**
 * The sockets of one upstream. Each reach has sockets of its own, so that one opened under a wider reach is never handed
 * to a request with a narrower one. Proxy variables of the environment do not apply: only Node's global agent reads them.
 */
export class Network {
  readonly #agents = new Map<string, Agents>();
  readonly #ca: string | undefined;
  readonly #resolve: Resolve;
  readonly classOf: (address: string) => AddressClass;
  #secureContext: SecureContext | undefined;

  constructor(options: NetworkOptions = {}) {
    this.#ca = options.ca;
    this.#resolve = options.resolve ?? ((hostname, done) => lookup(hostname, { all: true }, done));
    this.classOf = options.classOf ?? classOf;
  }

  /** @throws UpstreamError forbidden-target when the URL's host is an address out of reach. Names are checked when looked up. */
  agentsFor(url: URL, reach: Reach): Agents {
    const host = bareHost(url.hostname);
    // The socket layer looks up no literal address, so the guard there would never see it.
    if (isIP(host) !== 0) this.#check(host, host, reach);
    const key = [url.protocol, ...[...reach].sort()].join(' ');
    const agents = this.#agents.get(key) ?? this.#open(url.protocol, reach);
    this.#agents.set(key, agents);
    return agents;
  }

  close(): void {
    for (const agents of this.#agents.values()) ('http' in agents ? agents.http : agents.https).destroy();
    this.#agents.clear();
  }

  #open(protocol: string, reach: Reach): Agents {
    const options = {
      keepAlive: true,
      timeout: KEEP_ALIVE_MS,
      maxSockets: SOCKETS_PER_HOST,
      maxFreeSockets: FREE_SOCKETS,
      lookup: this.#guardedLookup(reach),
    };
    if (protocol === 'http:') return { http: new HttpAgent(options) };
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise turn verification off.
    return { https: new HttpsAgent({ ...options, rejectUnauthorized: true, secureContext: this.#context() }) };
  }

  #context(): SecureContext {
    this.#secureContext ??= createSecureContext({
      ca: [
        ...new Set([...getCACertificates('default'), ...getCACertificates('system')]),
        ...(this.#ca === undefined ? [] : [this.#ca]),
      ],
      minVersion: 'TLSv1.2',
    });
    return this.#secureContext;
  }

  /**
   * Checked on the very addresses that the socket then connects to, so that a name cannot answer differently to a
   * check and to the connection (DNS rebinding). One forbidden address among good ones spoils them all.
   */
  #guardedLookup(reach: Reach): LookupFunction {
    return (hostname, options, callback) => {
      this.#resolve(hostname, (error, addresses) => {
        if (error !== null) return callback(error, '', 0);
        const fitting = addresses.filter(({ family }) => !options.family || options.family === family);
        const first = fitting[0];
        try {
          for (const { address } of addresses) this.#check(hostname, address, reach);
          if (first === undefined)
            throw new UpstreamError('unreachable', `expected an address of ${hostname}, got none`);
        } catch (cause) {
          return callback(cause as Error, '', 0);
        }
        if (options.all) callback(null, fitting);
        else callback(null, first.address, first.family);
      });
    };
  }

  #check(hostname: string, address: string, reach: Reach): void {
    const kind = this.classOf(address);
    if (reach.has(kind)) return;
    throw new UpstreamError(
      'forbidden-target',
      `expected ${hostname} to be a ${[...reach].join(' or ')} address, got a ${kind} one`,
    );
  }
}
