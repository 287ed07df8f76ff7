import { TOP_ROLES, type TargetsRole } from './metadata.ts';
import type { Repository } from './load-repository.ts';
import { type Published, publish, type Publishing } from './publication.ts';
import type { Periods } from './settings.ts';
import { publishStaged } from './staged.ts';

/**
 * What a server does by itself: publishes what is complete, and signs snapshot and timestamp where new files came or half of their
 * time is over. `renew`: also where not.
 */
export async function refresh(publishing: Publishing, { renew = false } = {}): Promise<Published> {
  return (await publishStaged(publishing)) ?? (await publish(publishing, { renew }));
}

export interface RoleExpiry {
  readonly role: TargetsRole;
  readonly version: number;
  readonly expires: Date;
}

export function expiries({ root, targets, delegated, snapshot, timestamp }: Repository): readonly RoleExpiry[] {
  const top = { root, targets, snapshot, timestamp };
  const files = [...TOP_ROLES.map((role) => [role, top[role]] as const), ...delegated];
  return files.map(([role, { body }]) => ({ role, version: body.version, expires: body.expires }));
}

/** The last quarter of a period: time to get at a key in a safe. */
const WARNING_PART = 0.25;

/** A sentence for each role that a person must sign soon, or again, and what else keeps clients from believing it. */
export function warnings(repository: Repository, periods: Periods, now: Date): readonly string[] {
  const soon = expiries(repository).flatMap(({ role, expires }) => {
    if (role === 'snapshot' || role === 'timestamp') return [];
    const left = expires.getTime() - now.getTime();
    if (left > WARNING_PART * (role === 'root' ? periods.root : periods.targets)) return [];
    const when = `${left <= 0 ? 'has expired' : 'expires'} ${expires.toISOString()}`;
    const until = left <= 0 ? 'clients refuse everything it vouches for until' : 'before that';
    return [`${role} ${when}: ${until} somebody with its key runs docklock tuf renew ${role}`];
  });
  return [...soon, ...[...repository.unsigned].map(([role, why]) => `${role}: ${why}`)];
}
