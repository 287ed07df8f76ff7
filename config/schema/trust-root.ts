import { z } from 'zod';
import type { TrustRootConfig } from '../cosign-config.ts';
import { Expected, mapping, message, text, textAs } from './field.ts';
import { serverUrl } from './server.ts';

const ROOT = 'public-good, the path of a trusted_root.json, or { tuf: https://…, root: ./root.json }';

/** GitHub's root.json is not brought along: whose keys to begin with is for a person to have from GitHub. */
const GITHUB =
  'write { tuf: https://tuf-repo.github.com, root: ./github-root.json }, with the root.json that the gh command has in it, and ' +
  'log: false, certificateLog: false beside it; docs/configuration.md says where it is';

const tufSchema = mapping('a mapping with tuf and root', {
  tuf: serverUrl(),
  root: text('the path of a root.json'),
  target: textAs('the name of a target, such as trusted_root.json', parseTarget).prefault('trusted_root.json'),
  ca: text('the path of a PEM file').optional(),
});

export const trustRootSchema = z.union([textAs(ROOT, parseText), tufSchema], { error: message(ROOT) });

type Written = z.output<typeof trustRootSchema>;

/** @param path makes the paths of files absolute */
export function toTrustRoot(written: Written, path: (text: string) => string): TrustRootConfig {
  if (written === 'public-good') return { kind: 'public-good' };
  if (typeof written === 'string') return { kind: 'file', path: path(written) };
  const { tuf, root, target, ca } = written;
  return { kind: 'tuf', mirror: tuf, root: path(root), target, ...(ca === undefined ? {} : { ca: path(ca) }) };
}

/** Whether it is a file: as old as the person who keeps it lets it become. */
export function isFile(written: Written | undefined): boolean {
  return typeof written === 'string' && written !== 'public-good';
}

function parseText(written: string): string | undefined {
  if (/^https?:/i.test(written))
    throw new Expected(ROOT, `a repository needs its root: { tuf: ${written}, root: ./root.json }`);
  if (written === 'public-good' || written.includes('/') || written.endsWith('.json')) return written;
  if (written === 'github') throw new Expected(ROOT, GITHUB);
  return undefined;
}

/** It becomes part of a URL. */
function parseTarget(written: string): string | undefined {
  const parts = written.split('/');
  return parts.every((part) => /^(?!\.+$)[A-Za-z0-9._-]{1,100}$/.test(part)) && written.length <= 255
    ? written
    : undefined;
}
