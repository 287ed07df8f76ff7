import { z } from 'zod';
import type { NotaryConfig, NotaryPin } from '../config.ts';
import { credentialsSchema, toCredentials } from './credentials.ts';
import { duration, Expected, exactlyOne, flag, mapping, message, names, text, textAs } from './field.ts';
import { serverUrl } from './server.ts';

/** What a template may add to a name of at most 255 characters. */
const GUN_LIMIT = 255;

const PIN = 'rootKeys, ca or tofu';
const PIN_HINT =
  'write { rootKeys: [key id, …] } for known root keys, { ca: ./ca.pem } for root keys whose certificate that CA issued, ' +
  'or tofu to believe whatever the server says first';
const ONE_PIN = exactlyOne(['rootKeys', 'ca'], PIN_HINT);

const pin = mapping(message(PIN, PIN_HINT), {
  rootKeys: names('a list of key ids', textAs('a key id of 64 hex digits', parseKeyId)).optional(),
  ca: text('the path of a PEM file').optional(),
}).refine(ONE_PIN.check, ONE_PIN.params);

export const notarySchema = mapping('a mapping with type, server and pin', {
  type: z.literal('notary'),
  server: serverUrl(),
  ca: text('the path of a PEM file').optional(),
  gun: textAs('a name with {repository} and perhaps {registry} in it', parseGun).prefault('{registry}/{repository}'),
  pin: z.union([z.literal('tofu', { error: message(PIN, PIN_HINT) }), pin], { error: message(PIN, PIN_HINT) }),
  requireReleases: flag().prefault(false),
  signers: names('a list of signers', textAs('the name of a delegation, such as alice', parseSigner)).optional(),
  credentials: credentialsSchema.optional(),
  refresh: duration('1s', '24h').prefault('10s'),
});

type Written = z.output<typeof notarySchema>;

/** @param path makes the paths of files absolute */
export function toNotary(name: string, written: Written, path: (text: string) => string): NotaryConfig {
  return {
    kind: 'notary',
    name,
    server: written.server,
    ...(written.ca === undefined ? {} : { ca: path(written.ca) }),
    gun: written.gun,
    pin: toPin(written.pin, path),
    requireReleases: written.requireReleases,
    signers: written.signers ?? [],
    credentials: toCredentials(written.credentials, path),
    refresh: written.refresh,
  };
}

function toPin(written: Written['pin'], path: (text: string) => string): NotaryPin {
  if (written === 'tofu') return { kind: 'tofu' };
  if (written.ca !== undefined) return { kind: 'ca', path: path(written.ca) };
  return { kind: 'rootKeys', ids: written.rootKeys ?? [] };
}

function parseKeyId(written: string): string | undefined {
  const id = written.toLowerCase();
  return /^[0-9a-f]{64}$/.test(id) ? id : undefined;
}

/** `targets/alice` is accepted for alice: Docker's tools print the one and take the other. */
function parseSigner(written: string): string | undefined {
  const name = written.replace(/^targets\//, '');
  if (name === 'releases') throw new Expected('a signer', 'for targets/releases write requireReleases: true');
  return /^[a-z0-9_-]+(?:\/[a-z0-9_-]+)*$/.test(name) ? name : undefined;
}

/** Without the repository in it, the signature of one image would vouch for all of them. */
function parseGun(written: string): string | undefined {
  const filled = written.replaceAll('{registry}', 'r').replaceAll('{repository}', 'r');
  if (!written.includes('{repository}')) {
    throw new Expected('a name with {repository} in it', 'else one trust collection would vouch for every repository');
  }
  if (/[{}]/.test(filled)) throw new Expected('only {registry} and {repository} between braces');
  const parts = filled.split('/').every((part) => /^[A-Za-z0-9_][A-Za-z0-9._:-]*$/.test(part));
  return parts && filled.length <= GUN_LIMIT ? written : undefined;
}
