import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps daemons; a user's own path often leaves it out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Names a dynamic loader in every dynamically linked ELF file; a static one has none. */
const DYNAMIC_LOADER = /\/lib(?:64)?\/ld-(?:linux|musl)[^\0]*/;

/** A real tool of this machine, or why it cannot be used here. */
export type Tool = { readonly path: string; readonly missing?: never } | { readonly missing: string };

/** Every program of that name, the one that a shell would choose first. */
export function findTools(name: string): readonly string[] {
  const found = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .filter(isExecutable);
  // /bin is /usr/bin on most systems: one program, two names.
  const files = found.map((path) => realpathSync(path));
  return found.filter((_, at) => files.indexOf(files[at] ?? '') === at);
}

export function findTool(name: string): Tool {
  const [path] = findTools(name);
  return path === undefined ? { missing: `${name} is not installed` } : { path };
}

/** @throws Error when it is not there: for what the tests of a file cannot even begin without. */
export function requireTool(name: string): string {
  const tool = findTool(name);
  if (tool.missing !== undefined) throw new Error(`expected ${name} on the path, ${tool.missing}`);
  return tool.path;
}

/** A busybox that runs in an image holding nothing else. */
export function findStaticBusybox(): Tool {
  const path = findTools('busybox').find((file) => !DYNAMIC_LOADER.test(readFileSync(file, 'latin1')));
  return path === undefined ? { missing: 'no statically linked busybox is installed' } : { path };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run: either way not a tool we have.
    return false;
  }
}
