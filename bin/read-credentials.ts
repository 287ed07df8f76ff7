import { readFile } from 'node:fs/promises';
import type { CredentialsConfig, SecretSource } from '../config/config.ts';
import type { Credentials } from '../upstream/credentials.ts';

/** Secrets are read each time they are needed, so that a renewed file is used without a restart. */
export function credentialsOf(config: CredentialsConfig): Credentials {
  if (config.kind !== 'basic') return config;
  return { kind: 'basic', username: config.username, password: () => readSecret(config.password) };
}

async function readSecret(source: SecretSource): Promise<string> {
  if (source.kind === 'file') return (await readFile(source.path, 'utf8')).replace(/\r?\n$/, '');
  const value = process.env[source.name];
  if (value === undefined || value === '') {
    throw new Error(`expected a password in the environment variable ${source.name}, got none`);
  }
  return value;
}
