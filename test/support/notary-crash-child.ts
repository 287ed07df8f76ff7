/** The process that notary-crash.test.ts kills: one refresh, which ends by SIGKILL at a step of the disk. */
import { readFile } from 'node:fs/promises';
import { parseReference, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import { NotaryAuthority } from '../../trust/notary/authority.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { NotaryFetch } from './notary-fetch.ts';
import { RecordingLog } from './recording-log.ts';

const { files, step, folder, now } = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8'));
const stored = files.map(([name, base64]: [string, string]) => [name, Buffer.from(base64, 'base64')]);
const crash = () => {
  process.kill(process.pid, 'SIGKILL');
};

class RemovalDisk extends FaultyDisk {
  /** The name of what is removed is a hash; the first removal is meant. */
  override remove(path: string): Promise<void> {
    return step === 'remove' ? Promise.resolve(crash()) : super.remove(path);
  }
}

const authority = new NotaryAuthority({
  name: 'dct',
  server: 'https://notary.example',
  gun: '{registry}/{repository}',
  pin: { kind: 'tofu' },
  requireReleases: false,
  signers: [],
  refresh: 0,
  folder,
  readOnly: false,
  fetch: new NotaryFetch({ files: new Map(stored) }),
  log: new RecordingLog(),
  now: () => new Date(now),
  disk: new RemovalDisk({ crashAt: step, crash }),
});
const name = { upstream: parseUpstreamName('docker.io'), repository: parseRepositoryName('acme/app') };
await authority.judge({ name, reference: parseReference('1.0'), now: new Date(now), maxAge: 1 });
