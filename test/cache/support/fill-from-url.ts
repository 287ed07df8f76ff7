/** A process of its own that fills content from a URL, says how many bytes its reader has, and `kept` in the end. */
import { get, type IncomingMessage } from 'node:http';
import { argv, stdout } from 'node:process';
import { BlobStore } from '../../../cache/blob-store.ts';
import { parseDigest } from '../../../oci/digest.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { MiB } from './store.ts';

const [, , folder = '', url = '', digest = '', size = ''] = argv;
const store = await BlobStore.open({ folder, maxSize: 64 * MiB, log: new RecordingLog(), now: () => new Date() });
const fill = store.fill(
  parseDigest(digest),
  Number(size),
  () => new Promise<IncomingMessage>((resolve, reject) => get(url, resolve).once('error', reject)),
);
let count = 0;
fill.follow().on('data', (bytes: Buffer) => {
  count += bytes.length;
  stdout.write(`${count}\n`);
});
await fill.done;
stdout.write('kept\n');
