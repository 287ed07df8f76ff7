import { type FileHandle, open, stat } from 'node:fs/promises';

/** Certificates, keys, passwords and configurations are far smaller; what is larger is another file. */
export const FILE_LIMIT = 1024 * 1024;

/** Why a file is not what it should be, as the second half of "expected …, got …". */
export class UnfitFile extends Error {
  override readonly name = 'UnfitFile';
}

const TROUBLE: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'a file this user may not read'],
  ['EPERM', 'a file this user may not read'],
  ['EISDIR', 'a folder'],
  ['ENOTDIR', 'no such file: part of the path is not a folder'],
  ['ELOOP', 'symbolic links in a circle'],
]);

/**
 * The text of a file of at most `FILE_LIMIT` bytes, whatever kind of file it is: reading stops at the limit.
 * @throws UnfitFile when it cannot be read, is larger, or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  if (bytes.byteLength > FILE_LIMIT) throw new UnfitFile(`more than ${FILE_LIMIT} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnfitFile('bytes that are not UTF-8', { cause });
  }
}

/**
 * The same for files that are read again later, and must not block: regular files only, no pipes and no devices.
 * @throws UnfitFile
 */
export async function readRegularText(path: string): Promise<string> {
  const kind = await attempt(() => stat(path));
  if (kind.isDirectory()) throw new UnfitFile('a folder');
  if (!kind.isFile()) throw new UnfitFile('something that is not a regular file');
  return readText(path);
}

async function readBytes(path: string): Promise<Uint8Array> {
  const file = await attempt(() => open(path));
  try {
    return await attempt(() => readAtMost(file, FILE_LIMIT + 1));
  } finally {
    await file.close();
  }
}

async function readAtMost(file: FileHandle, limit: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

async function attempt<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw new UnfitFile(TROUBLE.get(code) ?? `a file that cannot be read (${String(code)})`, { cause });
  }
}
