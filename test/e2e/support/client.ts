/** What came of a pull: what the client now has, or what the user read on the terminal. */
export type Pulled = Has | { readonly ok: false; readonly terminal: string };

export interface Has {
  readonly ok: true;
  /** The image's name in the client's own storage. */
  readonly name: string;
  /** Digest of the manifest it was pulled by: of the index where it has one. */
  readonly digest: string;
}

/** A container client as its users set it up, with storage of its own. `gateway` is DockLock's `host:port`. */
export interface Client {
  readonly name: 'docker' | 'podman' | 'skopeo' | 'ctr';
  /** Why this machine cannot run it. */
  readonly skip: string | false;
  /** Pulls `corp.example/acme/app:1` the way that leaves no way round the gateway. */
  pull(image: string, gateway: string): Promise<Pulled>;
  /** Pulls `127.0.0.1:5000/acme/app:1` from where the reference says, over plain http: README.md, "Pull through it". */
  pullDirectly(reference: string): Promise<Pulled>;
  /** Runs what was pulled, and answers what the container printed. Not there in a client that runs nothing. */
  readonly run?: (pulled: Has) => Promise<string>;
  /** Drops the image and its content, so that the next pull asks for all of it again. */
  forget(pulled: Has): Promise<void>;
}

/** Stands where a client should be on a machine that cannot run it. */
export function unavailable(name: Client['name'], why: string): Client {
  const refuse = () => Promise.reject(new Error(`expected the test to be skipped: ${why}`));
  return { name, skip: why, pull: refuse, pullDirectly: refuse, forget: refuse };
}

/** @throws Error with what the user read, unless the client has the image now. */
export function has(pulled: Pulled): Has {
  if (!pulled.ok) throw new Error(`expected the pull to succeed, the terminal said: ${pulled.terminal}`);
  return pulled;
}

/** What the user read. @throws Error when the client has the image now. */
export function terminalOf(pulled: Pulled): string {
  if (pulled.ok) throw new Error(`expected the pull to be refused, the client has ${pulled.name}@${pulled.digest}`);
  // skopeo prints its errors as a quoted field of a log line.
  return pulled.terminal.replaceAll('\\"', '"');
}
