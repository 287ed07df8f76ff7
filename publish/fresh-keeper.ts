import type { Log } from '../oci/log.ts';
import { Keyring } from './keyring.ts';
import { loadRepository, type Repository } from './load-repository.ts';
import { openPublishing } from './publication.ts';
import { messageOf, PublishError } from './publish-error.ts';
import { refresh, warnings } from './refresh.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import { isDue, type Periods } from './settings.ts';

/** How soon what a publisher put into the folder is seen. Milliseconds. */
const LOOK_EVERY = 2000;

/** What is known of the folder since it was last read, so that a look costs two listings. */
interface Known {
  readonly names: string;
  readonly repository: Repository;
  readonly periods: Periods;
}

/** Keeps the timestamp of a served repository fresh, and publishes what is put into its folder. */
export class FreshKeeper {
  readonly #folder: RepositoryFolder;
  readonly #log: Log;
  readonly #now: () => Date;
  #known: Known | undefined;
  #said = '';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: { readonly folder: RepositoryFolder; readonly log: Log; readonly now: () => Date }) {
    this.#folder = options.folder;
    this.#log = options.log;
    this.#now = options.now;
  }

  /** Whether clients can believe the timestamp now. */
  get healthy(): boolean {
    return this.#known !== undefined && this.#known.repository.timestamp.body.expires > this.#now();
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#looking = this.look().finally(() => {
        if (this.#timer !== undefined) this.start();
      });
    }, LOOK_EVERY);
  }

  /** Waits for a look under way. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  /** Signs what is due. What goes wrong is told in the log, once, and tried again at the next look. */
  async look(): Promise<void> {
    try {
      const names = await this.#names();
      if (this.#known !== undefined && names === this.#known.names && !this.#isDue(this.#known)) return;
      await this.#refresh();
      this.#said = '';
    } catch (error) {
      if (messageOf(error) !== this.#said) this.#log.error({ err: error }, 'the repository could not be refreshed');
      this.#said = messageOf(error);
    }
  }

  #isDue({ repository: { timestamp, snapshot }, periods }: Known): boolean {
    const now = this.#now();
    return isDue(timestamp.body.expires, periods.timestamp, now) || isDue(snapshot.body.expires, periods.snapshot, now);
  }

  async #refresh(): Promise<void> {
    const folder = this.#folder;
    await folder.exclusively(async () => {
      const keyring = await Keyring.open({ folders: [folder.onlineKeys], passphrase: noPassphrase });
      const publishing = await openPublishing(folder, keyring, this.#now());
      const { periods, now } = publishing;
      const published = await refresh(publishing);
      const repository = await loadRepository(folder);
      this.#known = { names: await this.#names(), repository, periods };
      if (published.outcome === 'waiting') throw new PublishError(NO_KEYS);
      if (published.outcome === 'published') this.#log.info({ ...published }, 'published');
      for (const warning of warnings(repository, periods, now)) this.#log.warn({}, warning);
    });
  }

  async #names(): Promise<string> {
    const all = [await this.#folder.versioned(), await this.#folder.stagedNames()];
    return JSON.stringify(all.map((names) => names.map(({ role, version }) => `${version}.${role}`).sort()));
  }
}

export const NO_KEYS =
  'the snapshot and timestamp keys are not all in keys/online: put them there, since nobody sees what is new before they have signed';

async function noPassphrase(file: string): Promise<string> {
  throw new PublishError(
    `${file} has a passphrase, and a server has nobody to ask: keys/online is for keys without one`,
  );
}
