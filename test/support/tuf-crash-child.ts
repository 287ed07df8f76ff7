/** The process that tuf-crash.test.ts kills: one refresh, which ends by SIGKILL at a step of the disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import { TufAuthority } from '../../trust/tuf/authority.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { RecordingLog } from './recording-log.ts';

const { files, step, home, now, root } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const stored = new Map<string, Buffer>(
  files.map(([name, base64]: [string, string]) => [name, Buffer.from(base64, 'base64')]),
);
const crash = () => {
  process.kill(process.pid, 'SIGKILL');
};

class RemovalDisk extends FaultyDisk {
  /** The name of what is removed is a hash; the first removal is meant. */
  override remove(path: string): Promise<void> {
    return step === 'remove' ? Promise.resolve(crash()) : super.remove(path);
  }
}

const authority = new TufAuthority({
  name: 'org',
  source: {
    address: 'memory',
    look: () => ({
      get: async ({ role, version }) => stored.get(version === undefined ? `${role}.json` : `${version}.${role}.json`),
    }),
  },
  root: Buffer.from(root, 'base64'),
  target: '{registry}/{repository}:{tag}',
  roles: [],
  refresh: 0,
  folder: join(home, 'trust', 'org'),
  floors: join(home, 'floors', 'org'),
  readOnly: false,
  log: new RecordingLog(),
  now: () => new Date(now),
  disk: new RemovalDisk({ crashAt: step, crash }),
});
const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/app') };
await authority.judge({ name, reference: parseReference('1.0'), now: new Date(now), maxAge: 1 });
