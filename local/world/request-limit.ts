/**
 * How many requests a project has left, as the provider's answers say it: a bucket for each project that refills evenly over a minute. It only counts; who is to be refused
 * is said by `misbehave`. Source: OpenAI API, "Rate limits", "Rate limits in headers".
 */
import type { Clock } from '../core/clock.ts';

/** Requests a minute. */
const limit = 60;
const refillMs = 60_000 / limit;

/** @returns counts one request of the project, and answers what the headers say after it */
export function createRequestLimit(clock: Clock): (projectId: string) => Readonly<Record<string, string>> {
  const used = new Map<string, { count: number; at: number }>();
  return (projectId) => {
    const now = clock.now();
    const before = used.get(projectId) ?? { count: 0, at: now };
    const count = Math.min(limit, Math.max(0, before.count - (now - before.at) / refillMs) + 1);
    used.set(projectId, { count, at: now });
    return {
      'x-ratelimit-limit-requests': String(limit),
      'x-ratelimit-remaining-requests': String(Math.floor(limit - count)),
      'x-ratelimit-reset-requests': `${Math.ceil((count * refillMs) / 1000)}s`,
    };
  };
}
