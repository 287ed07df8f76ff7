import type { Command } from 'commander';
import { tufDelegate, tufUndelegate } from './tuf-delegate.ts';
import { tufInit } from './tuf-init.ts';
import { tufKey } from './tuf-key.ts';
import { tufRenew, tufRotate } from './tuf-rotate.ts';
import { tufRefresh, tufServe } from './tuf-serve.ts';
import { tufShow } from './tuf-show.ts';
import { tufSign } from './tuf-sign.ts';
import { vouchDiff, vouchList } from './vouch-list.ts';
import { vouch, withdraw } from './vouch.ts';

/** Does a command's work and turns what it throws into an exit code. */
export type Run = (command: () => Promise<number>) => Promise<void>;

const DIR = ['[dir]', 'the folder of the repository', '.'] as const;
const KEY = [
  '--key <file>',
  'a private key to sign with, besides those in the repository (repeat for more)',
  collect,
  [] as string[],
] as const;
const PASSPHRASE = [
  '--passphrase-file <file>',
  'file whose first line is the passphrase; else DOCKLOCK_PASSPHRASE, else you are asked',
] as const;
const REPOSITORY = ['--repository <dir>', 'the TUF repository, made with docklock tuf init', '.'] as const;
const YES = ['--yes', 'do not ask, for CI', false] as const;

const TUF_HELP = `
Start here:
  docklock tuf init ./trust            make the keys, and a repository that vouches for nothing yet
  docklock vouch docker.io/library/nginx:1.27 --repository ./trust
                                       sign what this tag means
  docklock tuf serve ./trust           serve it to gateways, whose configuration has an authority of type: tuf
  docklock tuf show ./trust            what is there, and when does it expire?

Step by step: docs/vouching.md`;

/** `docklock vouch` and `docklock tuf`. */
export function addPublishCommands(program: Command, run: Run, out: NodeJS.WritableStream): void {
  addVouch(program, run, out);
  const tuf = program
    .command('tuf')
    .description('found and keep a TUF repository of the images that you vouch for')
    .addHelpText('after', TUF_HELP);
  addFounding(tuf, run, out);
  addKeys(tuf, run, out);
  addRunning(tuf, run, out);
}

function addVouch(program: Command, run: Run, out: NodeJS.WritableStream): void {
  program
    .command('vouch')
    .description('sign what a tag means: these images, as the upstream has them now')
    .argument('[images...]', 'such as docker.io/library/nginx:1.27 or ghcr.io/acme/app@sha256:...')
    .option(...REPOSITORY)
    .option('--config <file>', 'configuration file: where the upstreams are', 'docklock.yaml')
    .option('--role <name>', 'the role that signs: targets, or one that it delegates to', 'targets')
    .option(...KEY)
    .option(...PASSPHRASE)
    .option(...YES)
    .option('--withdraw', 'no longer vouch for these images')
    .option('--list', 'show what is vouched for')
    .option('--diff', 'show which vouched tags have moved upstream since')
    .option('--json', 'with --list or --diff: print one JSON array', false)
    .addHelpText(
      'after',
      `
Examples:
  docklock vouch docker.io/library/nginx:1.27 --repository ./trust
  docklock vouch --diff --repository ./trust          which signed tags lag behind the upstream?
  docklock vouch --withdraw docker.io/library/nginx:1.27 --repository ./trust

Exit codes: 0 done, 1 you said no, 64 and above: could not.
Of --diff: 0 all as upstream, 1 a signed tag lags, 2 could not find out.`,
    )
    .action((images, options) =>
      run(() => {
        if (options.list === true) return vouchList(options, out);
        if (options.diff === true) return vouchDiff(options, out);
        return options.withdraw === true ? withdraw(images, options, out) : vouch(images, options, out);
      }),
    );
}

function addFounding(tuf: Command, run: Run, out: NodeJS.WritableStream): void {
  tuf
    .command('init')
    .description('found a repository: makes its keys and says what to do with each')
    .argument('<dir>', 'a new folder')
    .option('--root-keys <n>', 'root keys to make here', '1')
    .option('--root-key <file>', 'public root key of somebody else (repeat for more)', collect, [])
    .option('--root-threshold <n>', 'how many root keys it takes to replace a key', '1')
    .option('--root-expires <time>', 'how long a root is good for (default 365d)')
    .option('--targets-expires <time>', 'how long a list of images is good for (default 90d)')
    .option('--snapshot-expires <time>', 'how long a snapshot is good for (default 14d)')
    .option('--timestamp-expires <time>', 'how long clients may be kept from news (default 1d)')
    .option(...PASSPHRASE)
    .action((dir, options) => run(() => tufInit(dir, options, out)));
  tuf
    .command('show')
    .description('show what is there: versions, expiries, who may sign what')
    .argument(...DIR)
    .option('--json', 'print one JSON object', false)
    .action((dir, options) => run(() => tufShow(dir, options, out)));
}

function addKeys(tuf: Command, run: Run, out: NodeJS.WritableStream): void {
  tuf
    .command('key')
    .description("make a collaborator's key pair: FILE, and beside it the public half to hand over")
    .argument('<file>', 'such as alice.pem')
    .option(...PASSPHRASE)
    .action((file, options) => run(() => tufKey(file, options, out)));
  tuf
    .command('delegate')
    .description('let the keys of collaborators vouch for the images that match')
    .argument('<pattern>', "such as 'docker.io/acme/*' (* stays between slashes)")
    .argument('[keys...]', 'public keys, as docklock tuf key makes them')
    .option(...REPOSITORY)
    .option('--name <role>', 'name of the role (default: made from the pattern)')
    .option('--path <pattern>', 'another pattern for the same role (repeat for more)', collect, [])
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--terminating', 'nobody after it may vouch for these images')
    .option('--before <role>', 'take precedence over that role')
    .option(...KEY)
    .option(...PASSPHRASE)
    .action((pattern, keys, options) => run(() => tufDelegate(options.repository, pattern, keys, options, out)));
  tuf
    .command('undelegate')
    .description('take keys off a delegated role, or the whole role away')
    .argument('<role>', 'its name, as docklock tuf show lists it')
    .argument('[keys...]', 'public key files or key ids; none: the whole role')
    .option(...REPOSITORY)
    .option(...KEY)
    .option(...PASSPHRASE)
    .action((role, keys, options) => run(() => tufUndelegate(options.repository, role, keys, options, out)));
  tuf
    .command('rotate')
    .description('replace, add or remove a key of a role')
    .argument('<role>', 'root, targets, snapshot or timestamp')
    .option(...REPOSITORY)
    .option('--old <key>', 'the key that goes: its public file or id (default: the only one)')
    .option('--new <file>', "somebody else's public key that comes (default: a new one is made here)")
    .option('--add', 'add a key, none goes')
    .option('--remove', 'no key comes, --old goes')
    .option('--threshold <n>', 'from now on it takes this many keys')
    .option(...KEY)
    .option(...PASSPHRASE)
    .option(...YES)
    .action((role, options) => run(() => tufRotate(options.repository, role, options, out)));
  tuf
    .command('renew')
    .description('sign a role for another period, changing nothing else')
    .argument('<role>', 'root, targets, or a delegated role')
    .option(...REPOSITORY)
    .option(...KEY)
    .option(...PASSPHRASE)
    .action((role, options) => run(() => tufRenew(options.repository, role, options, out)));
  tuf
    .command('sign')
    .description('add your signature to a staged file; it is published once enough have signed')
    .argument('<file>', 'DIR/staged/N.root.json or N.targets.json')
    .option(
      '--with <file>',
      'a copy of it that others signed: take their signatures over (repeat for more)',
      collect,
      [],
    )
    .option(...KEY)
    .option(...PASSPHRASE)
    .option(...YES)
    .action((file, options) => run(() => tufSign(file, options, out)));
}

function addRunning(tuf: Command, run: Run, out: NodeJS.WritableStream): void {
  tuf
    .command('refresh')
    .description('sign the snapshot and timestamp if they are due: for cron, once an hour')
    .argument(...DIR)
    .option('--force', 'sign them even if not due', false)
    .option(...KEY)
    .option(...PASSPHRASE)
    .action((dir, options) => run(() => tufRefresh(dir, options, out)));
  tuf
    .command('serve')
    .description('serve the metadata over http and keep it fresh, until stopped')
    .argument(...DIR)
    .option('--listen <address>', 'address and port', '127.0.0.1:8080')
    .action((dir, options) => run(() => tufServe(dir, options, out)));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
