import type { DoorDeps } from '../credentials/door-deps.ts';
import { trySecret } from '../credentials/try-secret.ts';
import { CordonError } from '../shared/errors.ts';
import type { RotationDeps } from './rotation-deps.ts';

/** Asks about a customer's key as the door did when it took it in. */
export function createTryCustomerKey(
  deps: Pick<DoorDeps, 'validateKey' | 'checkDatabase' | 'allowLoopback'>,
): RotationDeps['tryCustomerKey'] {
  return async (item, secret) => {
    try {
      await trySecret(deps, item, secret);
      return 'valid';
    } catch (error) {
      if (error instanceof CordonError && error.code === 'KEY_REFUSED') return 'refused';
      if (error instanceof CordonError && error.code === 'PROVIDER_REFUSED') return 'unknown';
      throw error;
    }
  };
}
