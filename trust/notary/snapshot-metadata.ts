import { Fields } from '../metadata/fields.ts';
import { malformed } from '../metadata/metadata-error.ts';
import { type Envelope, openEnvelope } from './envelope.ts';
import { type MetadataFileMeta, parseMetadataFileMeta } from './file-meta.ts';
import { ROLE_LIMIT } from './metadata-limits.ts';
import { type DelegationName, parseDelegationName, type TargetsName } from './role-name.ts';

/** The newest word: which snapshot holds now. */
export interface TimestampMetadata extends Envelope {
  readonly snapshot: MetadataFileMeta;
}

/** Which files belong together: root, targets and the delegations that have signed something. */
export interface SnapshotMetadata extends Envelope {
  readonly root: MetadataFileMeta;
  readonly targets: ReadonlyMap<TargetsName, MetadataFileMeta>;
}

/** @throws MetadataError METADATA_INVALID, METADATA_MISMATCH */
export function parseTimestamp(bytes: Uint8Array): TimestampMetadata {
  const envelope = openEnvelope(bytes, 'Timestamp', 'timestamp');
  const meta = metaOf(envelope, 'timestamp');
  return { ...envelope, snapshot: required(meta, 'snapshot', 'timestamp') };
}

/** @throws MetadataError METADATA_INVALID, METADATA_MISMATCH */
export function parseSnapshot(bytes: Uint8Array): SnapshotMetadata {
  const envelope = openEnvelope(bytes, 'Snapshot', 'snapshot');
  const meta = metaOf(envelope, 'snapshot');
  const root = required(meta, 'root', 'snapshot');
  const targets = new Map<TargetsName, MetadataFileMeta>([['targets', required(meta, 'targets', 'snapshot')]]);
  for (const [name, file] of meta) {
    if (name === 'root' || name === 'targets') continue;
    const delegation: DelegationName = parseDelegationName(name, 'snapshot');
    targets.set(delegation, file);
  }
  return { ...envelope, root, targets };
}

function metaOf(envelope: Envelope, where: string): ReadonlyMap<string, MetadataFileMeta> {
  const fields = new Fields(envelope.body, where, ['meta']);
  const entries = fields.entries('meta', ROLE_LIMIT);
  return new Map(entries.map(([name, value]) => [name, parseMetadataFileMeta(value, `${where}.meta`)]));
}

function required(meta: ReadonlyMap<string, MetadataFileMeta>, name: string, where: string): MetadataFileMeta {
  const file = meta.get(name);
  if (file === undefined) throw malformed(where, `${name} in meta`, 'none');
  return file;
}
