import type { Log } from '../oci/log.ts';
import type { Authority } from '../trust/authority.ts';
import { type Forecast, type ForecastRow, type ForecastSettings, forecast, troublesOf } from '../trust/forecast.ts';
import { removeStatusFile, writeStatusFile } from './status-file.ts';

export interface TrustWatchOptions {
  readonly authorities: readonly Authority[];
  readonly settings: ForecastSettings;
  /** The data folder, where the status is written for `docklock status`. */
  readonly data: string;
  readonly log: Log;
  readonly now: () => Date;
}

/** Milliseconds between two looks: what `docklock status` shows of a running gateway is not older. */
export const WATCH_EVERY = 15_000;

/** Milliseconds. Each thing is in the log once within them. */
const LOG_EVERY = 24 * 60 * 60_000;

/** Lines a look may log; the rest is counted. Repositories of one publisher expire together. */
const LOG_LIMIT = 50;

/** Looks at the trust while the gateway runs: logs what is about to expire, and keeps what others ask about at hand. */
export class TrustWatch {
  readonly #options: TrustWatchOptions;
  readonly #logged = new Map<string, number>();
  #troubles: readonly string[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #writes = true;

  constructor(options: TrustWatchOptions) {
    this.#options = options;
  }

  /**
   * Reads what is on disk, looks for the first time, and from then on again and again. Until then there is no status,
   * rather than that of the last run or half of this one's. Never throws.
   */
  async start(): Promise<void> {
    await removeStatusFile(this.#options.data).catch(() => undefined);
    await this.#recall();
    await this.look();
    if (this.#closed) return;
    this.#timer = setInterval(() => void this.look(), WATCH_EVERY);
    this.#timer.unref();
  }

  /** What is wrong, in a few lines, as of the last look. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  /** Never throws; at most one at a time. */
  async look(): Promise<void> {
    if (this.#closed) return;
    this.#looking ??= this.#lookSafely().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** Writes nothing any more once this has resolved. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #recall(): Promise<void> {
    for (const authority of this.#options.authorities) {
      try {
        await authority.recall?.();
      } catch (err) {
        this.#options.log.warn({ authority: authority.name, err }, 'the status does not tell of what is on disk');
      }
    }
  }

  /** Looking after the gateway must not be what ends it. */
  async #lookSafely(): Promise<void> {
    try {
      await this.#lookOnce();
    } catch (err) {
      this.#options.log.error({ err }, 'unexpected error while looking at the trust');
    }
  }

  async #lookOnce(): Promise<void> {
    const { authorities, settings, data, log, now } = this.#options;
    const at = now();
    const statuses = authorities.map((authority) => authority.status());
    const seen = forecast(statuses, at, settings);
    this.#troubles = troublesOf(seen);
    this.#announce(seen, at);
    try {
      await writeStatusFile(data, { writtenAt: at, authorities: statuses });
      this.#writes = true;
    } catch (err) {
      if (this.#writes)
        log.warn({ err }, 'the status could not be written: docklock status reads the trust on disk instead');
      this.#writes = false;
    }
  }

  #announce({ rows }: Forecast, now: Date): void {
    const pressing = rows.filter(({ level }) => level === 'warning' || level === 'expired');
    const keys = new Set(pressing.map(keyOf));
    for (const key of this.#logged.keys()) if (!keys.has(key)) this.#logged.delete(key);
    const news = pressing.filter((row) => !this.#isLogged(row, now));
    for (const row of news) this.#logged.set(keyOf(row), now.getTime());
    for (const row of news.slice(0, LOG_LIMIT)) this.#logOne(row);
    const more = news.length - LOG_LIMIT;
    if (more > 0)
      this.#options.log.warn({ event: 'expiring', more }, 'more expires or has expired: see docklock status');
  }

  #isLogged(row: ForecastRow, now: Date): boolean {
    const since = now.getTime() - (this.#logged.get(keyOf(row)) ?? Number.NaN);
    return since >= 0 && since < LOG_EVERY;
  }

  #logOne({ authority, of, what, at, level }: ForecastRow): void {
    const expired = level === 'expired';
    this.#options.log.warn(
      { event: expired ? 'expired' : 'expiring', authority, of, what, at },
      `${what} of ${of} ${expired ? 'has expired' : 'expires soon'} and must be renewed by whoever signs it`,
    );
  }
}

function keyOf({ authority, of, what, level }: ForecastRow): string {
  return `${authority}\n${of}\n${what}\n${level}`;
}
