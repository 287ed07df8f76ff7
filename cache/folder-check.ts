import type { FolderCondition } from './data-folder.ts';

/** Milliseconds. Whoever may reach the gateway may ask how it is, and must not make it write for that each time. */
const EVERY = 10_000;

/** Milliseconds. A disk that does not answer, as of a file server that is away, is as good as none. */
const PATIENCE = 2_000;

export interface FolderCheckOptions {
  readonly check: () => Promise<FolderCondition>;
  readonly now: () => Date;
  /** Milliseconds for which an answer is kept. */
  readonly every?: number;
  /** Milliseconds after which no answer is one: unwritable. */
  readonly patience?: number;
}

/** The condition of the data folder, looked at when somebody asks, but seldom, and never by two at once. */
export class FolderCheck {
  readonly #options: Required<FolderCheckOptions>;
  #found: { readonly condition: FolderCondition; readonly at: number } | undefined;
  #looking: Promise<FolderCondition> | undefined;

  constructor(options: FolderCheckOptions) {
    this.#options = { every: EVERY, patience: PATIENCE, ...options };
  }

  /** Never throws, and takes no longer than the patience. */
  async condition(): Promise<FolderCondition> {
    const { now, every, patience } = this.#options;
    const age = now().getTime() - (this.#found?.at ?? Number.NaN);
    if (this.#found !== undefined && age >= 0 && age < every) return this.#found.condition;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return await withinPatience(this.#looking, patience);
  }

  async #look(): Promise<FolderCondition> {
    const condition = await this.#options.check().catch((): FolderCondition => 'unwritable');
    this.#found = { condition, at: this.#options.now().getTime() };
    return condition;
  }
}

async function withinPatience(looking: Promise<FolderCondition>, patience: number): Promise<FolderCondition> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<FolderCondition>((resolve) => {
    timer = setTimeout(() => resolve('unwritable'), patience);
  });
  try {
    return await Promise.race([looking, late]);
  } finally {
    clearTimeout(timer);
  }
}
