import { Fields } from '../metadata/fields.ts';
import { malformed } from '../metadata/metadata-error.ts';
import type { Json } from '../metadata/strict-json.ts';
import { type Delegations, parseDelegations } from './delegation.ts';
import type { Dated, Envelope } from './envelope.ts';
import { TARGET_LIMIT } from './metadata-limits.ts';
import { hashesOf } from './snapshot-metadata.ts';

/** An image as a target: how long its manifest or index is, and its hashes in hex. */
export interface Target {
  readonly length: number;
  readonly sha256: string | undefined;
  readonly sha512: string | undefined;
}

export interface TargetsMetadata extends Dated {
  readonly targets: ReadonlyMap<string, Target>;
  readonly delegations: Delegations | undefined;
}

export const TARGETS_NAMES = ['targets', 'delegations'];

/** TUF specification 4.5. @throws MetadataError METADATA_INVALID */
export function parseTargets({ fields, version, expires }: Envelope, role: string): TargetsMetadata {
  if (fields.value('targets') === undefined) throw malformed(role, 'targets', 'none');
  const targets = new Map<string, Target>();
  for (const [path, value] of fields.entries('targets', TARGET_LIMIT)) targets.set(path, parseTarget(value, role));
  return { version, expires, targets, delegations: parseDelegations(fields.value('delegations'), role) };
}

function parseTarget(value: Json, role: string): Target {
  const fields = new Fields(value, role, ['length', 'hashes']);
  const { sha256, sha512 } = hashesOf(fields, role);
  return { length: fields.integer('length', 0), sha256, sha512 };
}
