#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, Help, type Option } from 'commander';
import { ConfigError, formatConfigError } from '../config/problem.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { checkConfig } from './check-config.ts';
import { demo } from './demo/demo.ts';
import { presets, UnknownPreset } from './presets.ts';
import { addPublishCommands } from './publish/commands.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

/** sysexits.h, EX_CONFIG: what the operator wrote cannot be. */
const EXIT_CONFIG = 78;
/** sysexits.h, EX_USAGE. */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 70;

const out = process.stdout;
const colour = (out.isTTY ?? false) && process.env.NO_COLOR === undefined;
const file = ['--config <file>', 'configuration file', 'docklock.yaml'] as const;

const program = new Command('docklock')
  .description('A registry gateway that proves what an image is before it serves a byte of it.')
  .version(version())
  .configureHelp({ optionDescription })
  .showHelpAfterError('(docklock --help shows what there is)')
  .addHelpText(
    'after',
    `
Start here (in a checkout, docklock is: npm run --silent docklock --):
  docklock demo                          see it work, offline, in a few seconds
  docklock config check --config FILE    is the configuration right?
  docklock serve --config FILE           serve pulls until stopped
  docklock verify registry.k8s.io/pause:3.10 --config FILE
                                         would this image be admitted, and why?
  docklock presets                       whose signatures can be verified out of the box?
  docklock status --config FILE          is the trust fresh, and what expires when?
  docklock tuf init DIR                  nobody signs your images yet? found a TUF repository,
  docklock vouch IMAGE --repository DIR  and sign in it what a tag means`,
  );

program
  .command('serve')
  .description('serve pulls until SIGTERM or SIGINT, then finish those under way')
  .option(...file)
  .action((options) => run(() => serve({ ...options, out })));

program
  .command('verify')
  .description('say whether an image would be admitted now, and show the evidence')
  .argument('<image>', 'such as docker.io/library/nginx:1.27 or ghcr.io/acme/app@sha256:...')
  .option(...file)
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    '\nExit codes: 0 admitted, 1 refused, 2 undetermined (could not find out), 64 and above: not asked.',
  )
  .action((image, options) => run(() => verify(image, { ...options, out, colour })));

program
  .command('status')
  .description('show how the trust of every authority stands, and what expires when')
  .option(...file)
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
Asks nobody on the network. Beside a running gateway it shows what that gateway knows; without one, what is on disk. It says which.

Exit codes: 0 all is well, 1 something is to expire soon, 2 something has expired or a refresh fails, 64 and above: not found out.`,
  )
  .action((options) => run(() => status({ ...options, out, colour })));

program
  .command('presets')
  .description('list the publishers whose signatures are known, or explain one')
  .argument('[name]', 'such as kubernetes')
  .option('--json', 'print one JSON object', false)
  .action((name, options) => run(() => presets(name, { ...options, out, colour })));

program
  .command('config')
  .description('work with the configuration file')
  .command('check')
  .description('read the configuration and report every problem at once')
  .option(...file)
  .action((options) => run(() => checkConfig({ ...options, out })));

program
  .command('demo')
  .description('see it work, offline: images that are vouched for admitted, every kind of bad one refused')
  .action(() => run(() => demo({ out, colour })));

addPublishCommands(program, run, out);

// commander ends with 1 for a wrong command line, which is `refused` here.
const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
for (const command of commands) {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE));
}
await program.parseAsync();

/** That something is off, or nothing, unless it is asked for goes without saying. */
function optionDescription(option: Option): string {
  const { description, defaultValue } = option;
  const isNothing = defaultValue === false || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return isNothing ? description : new Help().optionDescription(option);
}

async function run(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof ConfigError) {
    process.stderr.write(`${formatConfigError(error)}\n`);
    return EXIT_CONFIG;
  }
  process.stderr.write(`docklock: ${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof RegistryError || error instanceof UnknownPreset ? EXIT_USAGE : EXIT_FAILURE;
}

function version(): string {
  // From a checkout the package lies one folder up; in the published package, where this is dist/bin, two.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return String(JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}
