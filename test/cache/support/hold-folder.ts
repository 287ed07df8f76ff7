/** A process of its own that claims the folder it is given, says so, and keeps it until it is ended. */
import { argv, stdin, stdout } from 'node:process';
import { DataFolder } from '../../../cache/data-folder.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const [, , path = ''] = argv;
await DataFolder.claim(path, new RecordingLog());
stdout.write('claimed\n');
stdin.resume();
