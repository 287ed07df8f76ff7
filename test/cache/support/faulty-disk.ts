import { type Disk, nodeDisk, type OpenFile } from '../../../cache/disk.ts';

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}

/** The real disk, but for the calls given. */
export function diskWith(calls: Partial<Disk>): Disk {
  return { ...nodeDisk, ...calls };
}

/** An open file, but for the calls given. */
export function fileWith(file: OpenFile, calls: Partial<OpenFile>): OpenFile {
  return {
    read: (into, position) => file.read(into, position),
    write: (bytes, position) => file.write(bytes, position),
    sync: () => file.sync(),
    facts: () => file.facts(),
    close: () => file.close(),
    ...calls,
  };
}

/** The real disk, where files opened to be read are changed like this. */
export function diskReading(calls: (file: OpenFile) => Partial<OpenFile>): Disk {
  return diskWith({
    open: async (path) => {
      const file = await nodeDisk.open(path);
      return fileWith(file, calls(file));
    },
  });
}

/** The real disk, where files made to be written are changed like this. */
export function diskWriting(calls: (file: OpenFile) => Partial<OpenFile>): Disk {
  return diskWith({
    create: async (path) => {
      const file = await nodeDisk.create(path);
      return fileWith(file, calls(file));
    },
  });
}
