/**
 * How many requests a project has left, as the provider's answers say it: a bucket that refills evenly over a minute. It only counts, unless `misbehave` says that it refuses, and
 * whose limit it is. Source: OpenAI API, "Rate limits", "Rate limits in headers".
 */
import type { Clock } from '../core/clock.ts';
import type { Misbehaviour } from './misbehaviour.ts';

/** Requests a minute. */
const usual = 60;

/** @returns counts one request of the project, and answers what the headers say after it; undefined when there is none left and it is refused */
export function createRequestLimit(
  clock: Pick<Clock, 'now'>,
  how: () => Pick<Misbehaviour, 'requestsPerMinute' | 'limitOf'>,
): (projectId: string) => Readonly<Record<string, string>> | undefined {
  const used = new Map<string, { count: number; at: number }>();
  return (projectId) => {
    const { requestsPerMinute, limitOf } = how();
    const limit = requestsPerMinute ?? usual;
    const refillMs = 60_000 / limit;
    const now = clock.now();
    const whose = limitOf === 'organization' ? 'organization' : projectId;
    const before = used.get(whose) ?? { count: 0, at: now };
    const left = Math.max(0, before.count - (now - before.at) / refillMs);
    if (requestsPerMinute !== undefined && left + 1 > limit) return undefined;
    const count = Math.min(limit, left + 1);
    used.set(whose, { count, at: now });
    return {
      'x-ratelimit-limit-requests': String(limit),
      'x-ratelimit-remaining-requests': String(Math.floor(limit - count)),
      'x-ratelimit-reset-requests': `${Math.ceil((count * refillMs) / 1000)}s`,
    };
  };
}
