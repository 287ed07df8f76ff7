import type { RepositoryName, Tag, UpstreamName } from '../oci/reference.ts';
import type { CosignConfig } from './cosign-config.ts';

/** A whole, checked configuration. Paths are absolute, durations milliseconds, sizes bytes. `readConfig` makes one. */
export interface Config {
  /** Where clients are served. Default: 127.0.0.1:5000, plain http. */
  readonly listen: readonly Listener[];
  /** Folder of the cache and the trust state, owned by one process. Default: `docklock-data` beside the file. */
  readonly data: string;
  readonly cache: CacheConfig;
  /** The registries pulled from. Default: none. */
  readonly upstreams: readonly UpstreamConfig[];
  /** Where names without an upstream in front go. Default: nowhere, such names are refused. */
  readonly defaultUpstream: UpstreamName | undefined;
  /** Who may vouch for images. Default: nobody. */
  readonly authorities: readonly AuthorityConfig[];
  /** First match wins; what no rule covers is refused. Default: empty, so everything is. */
  readonly policy: readonly RuleConfig[];
  /** How long blobs of a served manifest stay admissible without asking again. Default: 15 minutes. */
  readonly pullWindow: number;
  readonly log: LogConfig;
  readonly shutdown: ShutdownConfig;
  readonly status: StatusConfig;
  /** What is allowed but probably not meant, or weakens the gate: a sentence each, to be shown at start. */
  readonly warnings: readonly string[];
}

export interface Listener {
  /** An IP address (IPv6 without brackets) or a host name of this machine. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Default: none, plain http. */
  readonly tls?: TlsConfig;
  /** Answers refusals in the forms that stop clients from going on to the registry itself. Default: false. */
  readonly mirror?: boolean;
}

/** Paths of PEM files. With `clientCa`, clients must show a certificate it signed. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

export interface CacheConfig {
  /** Bytes of content kept on disk. Default: 50 GiB. */
  readonly maxSize: number;
}

export interface UpstreamConfig {
  /** The first part of every reference to it. */
  readonly name: UpstreamName;
  /** http or https, without a slash at the end. Default: `https://` and the name; for docker.io the registry's own host. */
  readonly url: string;
  /** PEM file of the only CAs this upstream may show. Default: the system's. */
  readonly ca?: string;
  /** Default: anonymous. */
  readonly credentials: CredentialsConfig;
  /** Host names on which the gateway answers for this upstream; lower case. Default: none. */
  readonly hosts: readonly string[];
  /** Hosts, some with a port, that may be given its credentials as a token service beside the upstream's own. Default: none. */
  readonly tokenHosts: readonly string[];
}

export type CredentialsConfig =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: SecretSource }
  /** `config.json` and the credential helpers it names. */
  | { readonly kind: 'docker-config' };

/** Where a secret is kept: never in the configuration itself. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

/** Who may vouch; one member for each kind. */
export type AuthorityConfig = NotaryConfig | TufConfig | CosignConfig;

/** Notary v1, the trust service of Docker Content Trust. */
export interface NotaryConfig {
  readonly kind: 'notary';
  /** The name that rules use. */
  readonly name: string;
  /** http or https, without a slash at the end. */
  readonly server: string;
  /** PEM file of the only CAs the server may show. Default: the system's. */
  readonly ca?: string;
  /** The GUN of an image, with `{registry}` and `{repository}` to be filled in. Default: `{registry}/{repository}`. */
  readonly gun: string;
  /** No default: what the first root of trust must agree with is for a person to say. */
  readonly pin: NotaryPin;
  /** Only what is signed into `targets/releases` counts. Default: false, `targets` counts where releases is silent. */
  readonly requireReleases: boolean;
  /** Delegations, without `targets/` in front, that must all have signed the same digest. Default: none. */
  readonly signers: readonly string[];
  /** Default: anonymous. */
  readonly credentials: CredentialsConfig;
  /** How long an answer of the server is used before it is asked again. Default: 10 seconds. */
  readonly refresh: number;
}

export type NotaryPin =
  /** Key ids of trusted root keys: 64 lower-case hex digits each. */
  | { readonly kind: 'rootKeys'; readonly ids: readonly string[] }
  /** PEM file of CAs that must have issued the root key's certificate. */
  | { readonly kind: 'ca'; readonly path: string }
  /** Whatever the server says first is believed ever after. */
  | { readonly kind: 'tofu' };

/** The Update Framework 1.0: images as targets of a repository. */
export interface TufConfig {
  readonly kind: 'tuf';
  /** The name that rules use. */
  readonly name: string;
  readonly metadata: TufMetadata;
  /** The root.json at which trust begins. No default: that is for a person to say. */
  readonly root: string;
  /** What an image is called, with `{registry}`, `{repository}` and `{tag}` to be filled in. Default: `{registry}/{repository}:{tag}`. */
  readonly target: string;
  /** Roles whose targets count, `targets` being one. Default: none named, any role's do. */
  readonly roles: readonly string[];
  /** PEM file of the only CAs the server may show. Default: the system's. */
  readonly ca?: string;
  /** Default: anonymous. */
  readonly credentials: CredentialsConfig;
  /** How long an answer is used before it is asked for again. Default: 10 seconds. */
  readonly refresh: number;
}

export type TufMetadata =
  /** http or https, without a slash at the end. */
  | { readonly kind: 'server'; readonly url: string }
  | { readonly kind: 'folder'; readonly path: string }
  /** An image of an upstream that is configured. */
  | { readonly kind: 'image'; readonly upstream: UpstreamName; readonly repository: RepositoryName; readonly tag: Tag };

export interface RuleConfig {
  /** Patterns of image names, of checked syntax. */
  readonly images: readonly string[];
  /** Undefined only where `unsafeAllowUnsigned` is true. Names exist and are never none. */
  readonly require: { readonly kind: 'all' | 'any'; readonly authorities: readonly string[] } | undefined;
  /** Default: enforce. */
  readonly mode: 'enforce' | 'warn';
  /** Default: false. */
  readonly unsafeAllowUnsigned: boolean;
  /** Trust must have been refreshed successfully within this time. Default: 72 hours. */
  readonly maxAge: number;
  /** A tag never goes back to content signed earlier than what it has meant. Default: false. */
  readonly noRollback: boolean;
  /** Where the rule begins in the file, counted from 1. */
  readonly line?: number;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface LogConfig {
  /** Default: info. */
  readonly level: (typeof LOG_LEVELS)[number];
}

export interface ShutdownConfig {
  /** How long pulls under way may go on after SIGTERM. Default: 30 seconds. */
  readonly drain: number;
  /** How much of `drain` goes by before connections are refused, where a load balancer asks. Default: 10 seconds. */
  readonly notice: number;
}

export interface StatusConfig {
  /** How long before its end something that a person renews becomes a warning. Default: 14 days. */
  readonly warnBefore: number;
}
