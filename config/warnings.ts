import { isIPv4 } from 'node:net';
import { isUpstreamName } from '../oci/reference.ts';
import type {
  AuthorityConfig,
  Config,
  CredentialsConfig,
  Listener,
  NotaryConfig,
  RuleConfig,
  TufConfig,
  UpstreamConfig,
} from './config.ts';
import type { CosignConfig } from './cosign-config.ts';
import { isWithin } from './preset-scope.ts';
import { pathText } from './problem.ts';
import { listenerText } from './schema/listen.ts';
import { didYouMean } from './suggest.ts';
import { formatDuration } from './units.ts';

/** What is allowed and yet worth a sentence: it weakens the gate, or it does nothing, which nobody writes on purpose. */
export function warningsOf(config: Omit<Config, 'warnings'>): string[] {
  return [
    ...config.listen.flatMap(listenerWarnings),
    ...config.listen.filter(({ mirror }) => mirror).flatMap((listener) => mirrorWarnings(listener, config)),
    ...config.upstreams.flatMap(upstreamWarnings),
    ...config.authorities.flatMap((authority) => authorityWarnings(authority, config.policy)),
    ...policyWarnings(config),
  ];
}

function listenerWarnings(listener: Listener): string[] {
  if (listener.tls !== undefined || isLoopback(listener.address)) return [];
  return [
    `listen: ${listenerText(listener)} is plain http beyond this machine: who is on the way sees and answers for us`,
  ];
}

/** A mirror is no gate, whatever it answers, while nobody answers. */
function mirrorWarnings(listener: Listener, { upstreams, defaultUpstream }: Omit<Config, 'warnings'>): string[] {
  const subject = `listen: ${listenerText(listener)} is a mirror`;
  const open = `${subject}: while DockLock is down its clients pull from the registry itself, unverified (docs/clients.md)`;
  if (defaultUpstream !== undefined || upstreams.length === 0) return [open];
  return [
    open,
    `${subject} without a default upstream: it refuses all that dockerd asks; add default: true to an upstream`,
  ];
}

function upstreamWarnings(upstream: UpstreamConfig): string[] {
  const subject = pathText(['upstreams', upstream.name]);
  const { url, ca, credentials } = upstream;
  return transportWarnings(subject, { url, ca, credentials });
}

interface Transport {
  readonly url: string;
  readonly ca: string | undefined;
  readonly credentials: CredentialsConfig;
}

function transportWarnings(subject: string, { url, ca, credentials }: Transport): string[] {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return [];
  const warnings = ca === undefined ? [] : [`${subject}: ca is never used, ${url} is plain http`];
  if (credentials.kind === 'anonymous' || isLoopback(hostname)) return warnings;
  return [...warnings, `${subject}: the password goes over plain http to ${url}`];
}

function authorityWarnings(authority: AuthorityConfig, policy: readonly RuleConfig[]): string[] {
  const subject = pathText(['authorities', authority.name]);
  const rules = policy.filter((rule) => rule.require?.authorities.includes(authority.name));
  const unused = rules.length === 0 ? [`${subject}: no rule requires it`] : [];
  const own =
    authority.kind === 'cosign' ? presetWarnings(authority, rules) : metadataWarnings(authority, subject, rules);
  return [...own, ...unused];
}

/** What a publisher's identity means is known of its own images only: elsewhere it vouches for what nobody looked into. */
function presetWarnings({ name, preset }: CosignConfig, rules: readonly RuleConfig[]): string[] {
  if (preset === undefined) return [];
  const subject = pathText(['authorities', name]);
  const stray = rules.flatMap(({ images }) => images.filter((image) => !isWithin(image, preset.images)));
  return [...new Set(stray)].map(
    (image) =>
      `${subject}: preset ${preset.name} is meant for ${preset.images.join(', ')}, and a rule requires it for ${image}`,
  );
}

function metadataWarnings(
  authority: NotaryConfig | TufConfig,
  subject: string,
  rules: readonly RuleConfig[],
): string[] {
  const { ca, credentials } = authority;
  const url = serverOf(authority);
  const warnings = url === undefined ? [] : transportWarnings(subject, { url, ca, credentials });
  if (authority.kind === 'notary' && authority.pin.kind === 'tofu') {
    warnings.push(`${subject}: pin is tofu, so whoever answers the first time is believed ever after`);
  }
  if (url !== undefined && new URL(url).hostname === 'notary.docker.io') {
    warnings.push(
      `${subject}: notary.docker.io is shut down on 2026-12-08, after which nothing it vouched for is admitted`,
    );
  }
  for (const rule of rules.filter(({ maxAge }) => maxAge <= authority.refresh)) {
    const ages = `${formatDuration(rule.maxAge)} is not longer than the refresh of ${formatDuration(authority.refresh)}`;
    warnings.push(`${subject}: freshness.maxAge of ${ages}, so trust is too old between two refreshes`);
  }
  return warnings;
}

function serverOf(authority: NotaryConfig | TufConfig): string | undefined {
  if (authority.kind === 'notary') return authority.server;
  return authority.metadata.kind === 'server' ? authority.metadata.url : undefined;
}

function policyWarnings(config: Omit<Config, 'warnings'>): string[] {
  const { upstreams, policy } = config;
  if (upstreams.length === 0) return ['upstreams: there is none, so nothing can be pulled'];
  if (policy.length === 0) return ['policy: there is no rule, so everything is refused'];
  const names = upstreams.map(({ name }) => String(name));
  const earlier = new Map<string, string>();
  return policy.flatMap((rule, at) => {
    const subject = pathText(['policy', at]);
    return [
      ...weakening(rule, subject),
      ...timeless(rule, subject, config.authorities),
      ...rule.images.flatMap((image) => [
        ...unreachable(image, subject, earlier),
        ...unknownUpstream(image, subject, names),
        ...shortHubName(image, subject),
      ]),
    ];
  });
}

/** A tag can be held to its newest signature only where a signature proves its time. */
function timeless(rule: RuleConfig, subject: string, authorities: readonly AuthorityConfig[]): string[] {
  if (!rule.noRollback) return [];
  return authorities
    .filter(({ name }) => rule.require?.authorities.includes(name))
    .filter((one) => one.kind === 'cosign' && one.signer.kind === 'keys' && !one.signer.log && !one.signer.timestamp)
    .map(
      ({ name }) =>
        `${subject}: noRollback, but signatures of ${name} prove no time; give it log: true or timestamp: true`,
    );
}

function weakening(rule: RuleConfig, subject: string): string[] {
  const images = rule.images.join(', ');
  if (rule.unsafeAllowUnsigned) return [`${subject}: unsigned content of ${images} is served (unsafeAllowUnsigned)`];
  return rule.mode === 'warn' ? [`${subject}: what is refused of ${images} is served all the same (mode: warn)`] : [];
}

/** @param earlier patterns of the rules before, and the rules they belong to; this one is added */
function unreachable(image: string, subject: string, earlier: Map<string, string>): string[] {
  const covering = earlier.has('**') ? '**' : image;
  const first = earlier.get(covering);
  if (first === undefined) earlier.set(image, subject);
  if (first === undefined || first === subject) return [];
  return [`${subject}: ${image} is never reached, ${first} has ${covering} and the first match wins`];
}

function unknownUpstream(image: string, subject: string, names: readonly string[]): string[] {
  const first = image.split('/', 1)[0] ?? '';
  if (!isUpstreamName(first) || names.includes(first)) return [];
  const hint = didYouMean(first, names) ?? `names begin with one of ${names.join(', ')}`;
  return [`${subject}: ${image} matches nothing, ${first} is no upstream; ${hint}`];
}

/** `nginx` is short for docker.io/library/nginx, and the long name is what patterns are matched with. */
function shortHubName(image: string, subject: string): string[] {
  const short = /^docker\.io\/([^/]+)$/.exec(image)?.[1];
  if (short === undefined || short.startsWith('**')) return [];
  return [
    `${subject}: ${image} matches nothing, images of Docker Hub have two parts; write docker.io/library/${short}`,
  ];
}

function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || ['localhost', '::1', '[::1]'].includes(host);
}
