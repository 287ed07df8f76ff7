import { z } from 'zod';
import { isUpstreamName } from '../../oci/reference.ts';
import type { CertificateClaim, CosignConfig, CosignSigner } from '../cosign-config.ts';
import { duration, Expected, flag, mapping, message, names, text, textAs } from './field.ts';
import { isFile, toTrustRoot, trustRootSchema } from './trust-root.ts';

const KEY_FILE = 'the path of a PEM file with a public key';
const PATTERN = 'text, with * for any characters within one part';
const IDENTITY =
  'the whole identity, such as https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
/** 90 days: signers of the public good instance's root give each version half a year. */
const TRUST_ROOT_MAX_AGE = 90 * 24 * 60 * 60 * 1000;

/** A star costs a look at every place of a text that the signer chose. */
const STARS_LIMIT = 8;
const TEXT_LIMIT = 2048;

const pattern = (expected: string) => textAs(expected, parsePattern);

const claim = pattern(PATTERN).optional();
const claims = {
  buildSignerURI: claim,
  buildSignerDigest: claim,
  runnerEnvironment: claim,
  sourceRepositoryURI: claim,
  sourceRepositoryDigest: claim,
  sourceRepositoryRef: claim,
  sourceRepositoryOwnerURI: claim,
  buildConfigURI: claim,
  buildTrigger: claim,
  sourceRepositoryVisibility: claim,
} satisfies Record<CertificateClaim, typeof claim>;

/** Every field of a cosign authority; those of a preset override it. */
export const cosignFields = {
  key: text(KEY_FILE).optional(),
  keys: names('a list of paths of PEM files', text(KEY_FILE)).optional(),
  threshold: z.int({ error: 'how many of the keys must have signed' }).min(1, { error: 'at least 1' }).optional(),
  issuer: textAs('the address of an OIDC issuer, whole', parseIssuer).optional(),
  identity: textAs(IDENTITY, parseIdentity).optional(),
  certificate: mapping('a mapping from claims of the certificate to texts', claims).optional(),
  trustRoot: trustRootSchema.prefault('public-good'),
  trustRootMaxAge: duration('1d', '3650d').optional(),
  log: flag().optional(),
  certificateLog: flag().optional(),
  timestamp: flag().optional(),
  predicateType: text('the type of a predicate, such as https://slsa.dev/provenance/v1').optional(),
  predicate: z
    .record(z.string(), pattern(PATTERN), { error: 'a mapping from paths within the predicate to texts' })
    .optional(),
  annotations: z.record(z.string(), text('text'), { error: 'a mapping from annotations to texts' }).optional(),
  reference: textAs('a name such as "{registry}/{repository}"', parseTemplate).optional(),
  maxAge: duration('1m', '3650d').optional(),
  repository: textAs('a name such as "ghcr.io/acme/signatures"', parseRepository).optional(),
  attestationManifests: flag().prefault(false),
  recheck: duration('1s', '24h').prefault('1h'),
};

export const cosignSchema = mapping('a mapping with type, and key or issuer and identity', {
  type: z.literal('cosign'),
  ...cosignFields,
}).superRefine((written, context) => {
  for (const { path, expected, hint, got } of clashes(written)) {
    context.addIssue({ code: 'custom', path: [...path], message: message(expected, hint, got) });
  }
});

type Written = z.output<typeof cosignSchema>;
export type Fields = Partial<Omit<Written, 'type'>>;

export interface Clash {
  readonly path: readonly string[];
  readonly expected: string;
  readonly hint?: string;
  readonly got?: string;
}

/** What is right by itself and wrong together: who must sign, and what then can be asked of the signature. */
export function clashes(written: Fields): Clash[] {
  const { key, keys, issuer, identity } = written;
  const keyed = key !== undefined || keys !== undefined;
  const keyless = issuer !== undefined || identity !== undefined;
  const hint = 'write key or keys for public keys, or issuer and identity for keyless signatures';
  if (keyed === keyless) {
    const got = keyed ? 'both' : 'neither';
    return [{ path: [], expected: 'either public keys, or an issuer with an identity', hint, got }];
  }
  if (key !== undefined && keys !== undefined) return [{ path: ['keys'], expected: 'key or keys', got: 'both' }];
  const signer = keyed ? keyClashes(written) : certificateClashes(written);
  return [...signer, ...contentClashes(written)];
}

function contentClashes({ predicate, predicateType, trustRoot, trustRootMaxAge }: Fields): Clash[] {
  return [
    ...(predicate !== undefined && predicateType === undefined
      ? [{ path: ['predicate'], expected: 'a predicateType beside it', got: 'none' }]
      : []),
    ...(trustRootMaxAge !== undefined && isFile(trustRoot)
      ? [
          {
            path: ['trustRootMaxAge'],
            expected: 'it only where the trusted root is kept fresh',
            hint: 'a file is as old as you let it become',
            got: 'it beside a file',
          },
        ]
      : []),
  ];
}

function keyClashes({ keys, threshold, certificate, certificateLog, log, timestamp, maxAge }: Fields): Clash[] {
  const most = keys?.length ?? 1;
  const only = (name: string, value: unknown): Clash[] =>
    value === undefined
      ? []
      : [{ path: [name], expected: 'it only beside issuer and identity', got: 'it beside a key' }];
  const proved = log === true || timestamp === true;
  return [
    ...only('certificate', certificate),
    ...only('certificateLog', certificateLog),
    ...(threshold === undefined || threshold <= most
      ? []
      : [{ path: ['threshold'], expected: `at most ${most}, as many as there are keys`, got: String(threshold) }]),
    ...(maxAge === undefined || proved
      ? []
      : [
          {
            path: ['maxAge'],
            expected: 'log: true or timestamp: true beside it',
            hint: 'else nothing proves when a key signed',
            got: 'neither',
          },
        ]),
  ];
}

function certificateClashes({ issuer, identity, threshold, timestamp }: Fields): Clash[] {
  const missing = (name: string, value: unknown, why: string): Clash[] =>
    value === undefined ? [{ path: [name], expected: 'it beside the other', hint: why, got: 'nothing' }] : [];
  const only = (name: string, value: unknown, hint: string): Clash[] =>
    value === undefined ? [] : [{ path: [name], expected: 'it only beside keys', hint, got: 'it beside an identity' }];
  return [
    ...missing('issuer', issuer, 'an identity means something only together with who vouched for it'),
    ...missing('identity', identity, 'without it anybody whom the issuer knows would do'),
    ...only('threshold', threshold, 'for several identities, require several authorities'),
    ...only('timestamp', timestamp, 'a keyless signature must always prove its time'),
  ];
}

/** @param path makes the paths of files absolute */
export function toCosign(name: string, written: Written, path: (text: string) => string): CosignConfig {
  const { predicateType, reference, maxAge, repository, trustRoot } = written;
  return {
    kind: 'cosign',
    name,
    signer: toSigner(written, path),
    trustRoot: toTrustRoot(trustRoot, path),
    trustRootMaxAge: written.trustRootMaxAge ?? TRUST_ROOT_MAX_AGE,
    predicate: written.predicate ?? {},
    annotations: written.annotations ?? {},
    attestationManifests: written.attestationManifests,
    recheck: written.recheck,
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(reference === undefined ? {} : { reference }),
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(repository === undefined ? {} : { repository }),
  };
}

function toSigner(written: Written, path: (text: string) => string): CosignSigner {
  const { key, keys, threshold, issuer = '', identity = '', certificate, log, certificateLog, timestamp } = written;
  if (key === undefined && keys === undefined) {
    return {
      kind: 'certificate',
      issuer,
      identity,
      claims: certificate ?? {},
      log: log ?? true,
      certificateLog: certificateLog ?? true,
    };
  }
  return {
    kind: 'keys',
    paths: (keys ?? [key ?? '']).map(path),
    threshold: threshold ?? 1,
    log: log ?? false,
    timestamp: timestamp ?? false,
  };
}

function parsePattern(written: string): string | undefined {
  if (written.length > TEXT_LIMIT) throw new Expected(`text of at most ${TEXT_LIMIT} characters`);
  const stars = written.match(/\*+/g)?.length ?? 0;
  if (stars > STARS_LIMIT) throw new Expected(`at most ${STARS_LIMIT} times *`);
  return written;
}

function parseIssuer(written: string): string | undefined {
  if (written.includes('*')) throw new Expected('the issuer as a whole', 'a pattern would let another issuer in');
  return URL.canParse(written) ? written : undefined;
}

/** A star must not stand where it could take the host or the domain: who controls those is what an identity means. */
function parseIdentity(written: string): string | undefined {
  parsePattern(written);
  const [first = ''] = written.split('*');
  if (!written.includes('*')) return written;
  const hint = 'a * may stand after https://host/… or before @domain';
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/*]+\/./i.test(first)) return written;
  if (!written.includes('://') && /@[^*@]+$/.test(written)) return written;
  throw new Expected(IDENTITY, hint);
}

function parseTemplate(written: string): string | undefined {
  const filled = fill(written);
  return /^[a-z0-9._:/-]+$/.test(filled) ? written : undefined;
}

function parseRepository(written: string): string | undefined {
  const filled = fill(written);
  const [upstream = '', ...rest] = filled.split('/');
  const parts = rest.length > 0 && rest.every((part) => /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/.test(part));
  if (parts && isUpstreamName(upstream)) return written;
  throw new Expected('the name of an upstream and a repository', 'such as ghcr.io/acme/signatures');
}

function fill(written: string): string {
  const filled = written.replaceAll('{registry}', 'r').replaceAll('{repository}', 'r');
  if (/[{}]/.test(filled)) throw new Expected('only {registry} and {repository} between braces');
  return filled;
}
