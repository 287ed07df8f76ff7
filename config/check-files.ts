import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { entriesOf } from './check-names.ts';
import { readRegularText, UnfitFile } from './file.ts';
import { findPreset } from './preset-catalog.ts';
import type { Complaint, Path } from './problem.ts';
import { isMapping } from './schema/field.ts';

/** What files and environment the configuration leans on, asked for now so that it is not missed in the middle of a pull. */
export interface Surroundings {
  /** Makes a path of the configuration absolute. */
  readonly path: (text: string) => string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Every file and variable that is named, is there and is what its key says. Reads, keeps nothing. */
export async function checkFiles(
  root: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<Complaint[]> {
  const servers = [
    ...entriesOf(root.upstreams).map(([name, value]) => ({ path: ['upstreams', name], value })),
    ...entriesOf(root.authorities).map(([name, value]) => ({ path: ['authorities', name], value })),
  ];
  const listeners = Array.isArray(root.listen)
    ? root.listen.map((value, at) => ({ path: ['listen', at], value }))
    : [{ path: ['listen'], value: root.listen }];
  const checks = [
    ...servers.map(({ path, value }) => checkServer(value, path, surroundings)),
    ...listeners.map(({ path, value }) => checkTls(value, [...path, 'tls'], surroundings)),
    checkData(root.data, surroundings),
  ];
  return (await Promise.all(checks)).flat();
}

async function checkServer(value: unknown, path: Path, surroundings: Surroundings): Promise<Complaint[]> {
  if (!isMapping(value)) return [];
  const pin = isMapping(value.pin) ? value.pin : {};
  const credentials = isMapping(value.credentials) ? value.credentials : {};
  const inside = [...path, 'credentials'];
  const files: { complaints: Complaint[] }[] = await Promise.all([
    checkFile(value.ca, [...path, 'ca'], CERTIFICATES, surroundings),
    checkFile(pin.ca, [...path, 'pin', 'ca'], CERTIFICATES, surroundings),
    checkFile(credentials.passwordFile, [...inside, 'passwordFile'], PASSWORD, surroundings),
    checkFile(value.type === 'tuf' ? value.root : undefined, [...path, 'root'], TUF_ROOT, surroundings),
  ]);
  const keys = Array.isArray(value.keys) ? value.keys : [];
  const trustRoot = isMapping(value.trustRoot) ? value.trustRoot : {};
  const publicKey = publicKeyOf(value.preset);
  const signing = await Promise.all([
    checkFile(value.key, [...path, 'key'], publicKey, surroundings),
    ...keys.map((key, at) => checkFile(key, [...path, 'keys', at], publicKey, surroundings)),
    checkFile(isPath(value.trustRoot) ? value.trustRoot : '', [...path, 'trustRoot'], TRUSTED_ROOT, surroundings),
    checkFile(trustRoot.root, [...path, 'trustRoot', 'root'], TUF_ROOT, surroundings),
    checkFile(trustRoot.ca, [...path, 'trustRoot', 'ca'], CERTIFICATES, surroundings),
  ]);
  files.push(...signing);
  const variable = checkVariable(credentials.passwordEnv, [...inside, 'passwordEnv'], surroundings);
  return [...files.flatMap(({ complaints }) => complaints), ...variable];
}

async function checkTls(listener: unknown, path: Path, surroundings: Surroundings): Promise<Complaint[]> {
  const tls = isMapping(listener) && isMapping(listener.tls) ? listener.tls : {};
  const [cert, key, clientCa] = await Promise.all([
    checkFile(tls.cert, [...path, 'cert'], CERTIFICATES, surroundings),
    checkFile(tls.key, [...path, 'key'], PRIVATE_KEY, surroundings),
    checkFile(tls.clientCa, [...path, 'clientCa'], CERTIFICATES, surroundings),
  ]);
  const complaints = [cert, key, clientCa].flatMap((checked) => checked.complaints);
  const leaf = cert.value?.[0];
  if (leaf === undefined || key.value === undefined || leaf.checkPrivateKey(key.value)) return complaints;
  const mismatch = { path: [...path, 'key'], expected: 'the key of the first certificate in cert', got: 'another key' };
  return [...complaints, mismatch];
}

interface FileKind<Value> {
  readonly expected: string;
  readonly hint?: string;
  /** @throws UnfitFile */
  readonly parse: (text: string) => Value;
}

const CERTIFICATES: FileKind<readonly X509Certificate[]> = {
  expected: 'a readable PEM file of certificates',
  parse: (text) => {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) throw new UnfitFile('no certificate in it');
    return blocks.map((block, at) =>
      attempt(`something malformed as certificate ${at + 1}`, () => new X509Certificate(block)),
    );
  },
};

const PRIVATE_KEY: FileKind<KeyObject> = {
  expected: 'a readable PEM file of an unencrypted private key',
  parse: (text) => attempt('no such key in it', () => createPrivateKey(text)),
};

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

const PUBLIC_KEY: FileKind<KeyObject> = {
  expected: 'a readable PEM file with one public key: ECDSA P-256, P-384 or P-521, Ed25519, or RSA from 2048 bits',
  parse: (text) => {
    // Node would make a public key of a private one or of a certificate, and whoever wrote that meant something else.
    if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) throw new UnfitFile('no public key in it');
    const key = attempt('no such key in it', () => createPublicKey(text));
    const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
    const { namedCurve = '', modulusLength = 0 } = details ?? {};
    const strong = kind === 'ed25519' || CURVES.has(namedCurve) || (kind === 'rsa' && modulusLength >= 2048);
    if (!strong) throw new UnfitFile(`a key of kind ${kind} ${namedCurve || modulusLength || ''}`.trimEnd());
    return key;
  },
};

/** Whoever can exchange a download gets nothing by it where the preset knows what must come. */
function publicKeyOf(presetName: unknown): FileKind<KeyObject> {
  const preset = findPreset(presetName);
  if (preset?.verifies.kind !== 'key-file' || preset.verifies.sha256 === undefined) return PUBLIC_KEY;
  const { sha256, downloads } = preset.verifies;
  const again = `download ${downloads.map(({ url }) => url).join(' or ')} again`;
  return {
    expected: `a readable PEM file with the public key of the preset ${preset.name}, SHA-256 ${sha256}`,
    hint: `${again}; should the publisher have announced a new key, write type: cosign with it, without preset`,
    parse: (text) => {
      const key = PUBLIC_KEY.parse(text);
      const got = createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('hex');
      if (got !== sha256) throw new UnfitFile(`the key ${got}`);
      return key;
    },
  };
}

const TRUSTED_ROOT: FileKind<true> = {
  expected: 'a readable trusted_root.json of Sigstore',
  parse: (text) => {
    const root: unknown = attempt('no JSON in it', () => JSON.parse(text));
    if (!isMapping(root) || !String(root.mediaType).startsWith('application/vnd.dev.sigstore.trustedroot')) {
      throw new UnfitFile('no trusted root in it');
    }
    return true;
  },
};

/** The words that `trustRoot` may be have neither. */
function isPath(written: unknown): boolean {
  return typeof written === 'string' && /\/|\.json$/.test(written) && !/^https?:/i.test(written);
}

const PASSWORD: FileKind<true> = {
  expected: 'a readable file with a password in it',
  parse: (text) => {
    if (text.trim() === '') throw new UnfitFile('an empty file');
    return true;
  },
};

/** That it is well signed is for the authority to find; here, that it is not another file, or a page that was downloaded in its place. */
const TUF_ROOT: FileKind<true> = {
  expected: 'a readable root.json of a TUF repository',
  parse: (text) => {
    const root: unknown = attempt('no JSON in it', () => JSON.parse(text));
    const signed = isMapping(root) && isMapping(root.signed) ? root.signed : {};
    if (signed._type !== 'root') throw new UnfitFile('JSON that is no root');
    return true;
  },
};

function attempt<Value>(got: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new UnfitFile(got, { cause });
  }
}

/** @param written what the configuration says; anything but text is the schema's to complain about */
async function checkFile<Value>(
  written: unknown,
  path: Path,
  kind: FileKind<Value>,
  surroundings: Surroundings,
): Promise<{ complaints: Complaint[]; value?: Value }> {
  if (typeof written !== 'string' || written === '') return { complaints: [] };
  const file = surroundings.path(written);
  try {
    return { complaints: [], value: kind.parse(await readRegularText(file)) };
  } catch (error) {
    if (!(error instanceof UnfitFile)) throw error;
    const got = `${error.message} at ${JSON.stringify(file)}`;
    return { complaints: [{ path, expected: kind.expected, got, hint: kind.hint }] };
  }
}

function checkVariable(name: unknown, path: Path, { env }: Surroundings): Complaint[] {
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || (env[name] ?? '') !== '') return [];
  // The name is not said again: somebody may have written the password itself there.
  return [{ path, expected: 'a password in the environment variable of this name', got: 'no such variable' }];
}

/** The folder may come to be later; only what could never become it is wrong. */
async function checkData(written: unknown, { path }: Surroundings): Promise<Complaint[]> {
  const folder = path(typeof written === 'string' ? written : '.');
  const there = await stat(folder).catch(() => undefined); // what cannot be looked at yet, its owner will report when making it
  if (there === undefined || there.isDirectory()) return [];
  return [{ path: ['data'], expected: 'the path of a folder', got: `a file at ${JSON.stringify(folder)}` }];
}
