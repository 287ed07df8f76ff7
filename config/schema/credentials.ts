import { z } from 'zod';
import type { CredentialsConfig } from '../config.ts';
import { exactlyOne, mapping, text, textAs } from './field.ts';

const EXPECTED = 'docker-config, or a mapping of username and passwordFile or passwordEnv';
const ONE_PASSWORD = exactlyOne(['passwordFile', 'passwordEnv']);

const basic = mapping(EXPECTED, {
  username: textAs('a user name without a colon or control characters', parseUsername),
  passwordFile: text('the path of a file').optional(),
  passwordEnv: textAs('the name of an environment variable', parseVariableName).optional(),
}).refine(ONE_PASSWORD.check, ONE_PASSWORD.params);

export const credentialsSchema = z.union([z.literal('docker-config', { error: EXPECTED }), basic], { error: EXPECTED });

export type WrittenCredentials = z.output<typeof credentialsSchema> | undefined;

/** @param path makes a path of the file absolute */
export function toCredentials(written: WrittenCredentials, path: (text: string) => string): CredentialsConfig {
  if (written === undefined) return { kind: 'anonymous' };
  if (written === 'docker-config') return { kind: 'docker-config' };
  const { username, passwordFile, passwordEnv = '' } = written;
  return {
    kind: 'basic',
    username,
    password:
      passwordFile === undefined ? { kind: 'env', name: passwordEnv } : { kind: 'file', path: path(passwordFile) },
  };
}

/** RFC 7617, "The 'Basic' Authentication Scheme": a user-id with a colon would be cut there and read as another user. */
function parseUsername(written: string): string | undefined {
  return /^[^:\p{Cc}]+$/u.test(written) ? written : undefined;
}

function parseVariableName(written: string): string | undefined {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(written) ? written : undefined;
}
