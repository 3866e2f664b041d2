import type { Clock } from '../shared/clock.ts';
import type { CredentialItem } from '../tenants/registry.ts';

/** Credentials of a provider that fail one after the other before the rest is left for later: one that fails by itself holds up nobody. */
const patience = 3;
/** Shorter than the sweep takes to come by again: then one of its minutes is not lost. */
const restMs = 45_000;

/** Leaves a provider alone that does not answer, or has had enough for now: thousands of credentials would ask it thousands of times in vain. Of one run. */
export interface ProviderBrake {
  /** Until when the provider is left alone, in milliseconds since the epoch; undefined when it is not. */
  until(provider: string): number | undefined;
  /** How a credential was left. */
  seen(item: CredentialItem): void;
}

export function createProviderBrake(clock: Clock): ProviderBrake {
  const failed = new Map<string, number>();
  const resting = new Map<string, number>();
  return {
    until(provider) {
      const until = resting.get(provider);
      return until !== undefined && clock() < until ? until : undefined;
    },
    seen({ provider, ending }) {
      const isFailure = ending !== undefined && ending.setbacks > 0 && ending.problem === 'PROVIDER_UNAVAILABLE' && ending.nextAt > clock();
      const inARow = isFailure ? (failed.get(provider) ?? 0) + 1 : 0;
      failed.set(provider, inARow);
      if (inARow >= patience) resting.set(provider, clock() + restMs);
    },
  };
}
