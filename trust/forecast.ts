import type { TrustStatus } from './status.ts';

/** What will hurt, or does already: one line for a person, with what a machine needs to act on it. */
export interface Warning {
  readonly authority: string;
  readonly repository: string;
  /** `expires`: soon. `expired`: already. `failing`: the newest refresh failed. */
  readonly kind: 'expires' | 'expired' | 'failing';
  readonly at: Date;
  readonly text: string;
}

const DAY = 24 * 3_600_000;

/** Warnings about one repository of an authority, the most urgent first. @param before how long ahead, in milliseconds */
export function forecast(authority: string, status: TrustStatus, now: Date, before: number): readonly Warning[] {
  const { repository, failure, expiries } = status;
  const failing: Warning[] =
    failure === undefined
      ? []
      : [
          {
            authority,
            repository,
            kind: 'failing',
            at: failure.at,
            text: `${authority}: ${repository} could not be refreshed: ${failure.message} (${failure.reason})`,
          },
        ];
  const expiring = expiries
    .filter(({ at }) => !(at.getTime() - now.getTime() > before))
    .sort((a, b) => a.at.getTime() - b.at.getTime())
    .map(({ what, at }): Warning => {
      const over = !(at.getTime() > now.getTime());
      return {
        authority,
        repository,
        kind: over ? 'expired' : 'expires',
        at,
        text: `${authority}: ${what} of ${repository} ${over ? 'expired' : 'expires'} ${inDays(at, now)}`,
      };
    });
  return [...failing, ...expiring];
}

function inDays(at: Date, now: Date): string {
  const days = Math.floor(Math.abs(at.getTime() - now.getTime()) / DAY);
  const many = days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
  return at.getTime() > now.getTime() ? `in ${many}` : `${many} ago`;
}
