import { CordonError } from '../shared/errors.ts';
import type { CredentialItem, NewCredential, NewTenant, Registry, TenantItem } from './registry.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/**
 * Gives a lease back after a failure, so that the next delivery goes on at once, and writes down how far the work came. When that cannot be written the lease
 * ends by itself, and the failure that led here is what counts: so nothing is thrown.
 */
async function release(deps: Pick<TenantsDeps, 'log'>, item: TenantItem | CredentialItem, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const code = error instanceof CordonError ? error.code : 'UNEXPECTED';
    deps.log.warn('a lease could not be released; it ends by itself', { tenantId: item.tenantId, item: item.kind, code });
  }
}

export function releaseTenant(
  deps: Pick<TenantsDeps, 'log'>,
  registry: Registry,
  item: TenantItem,
  soFar: Partial<NewTenant>,
): Promise<void> {
  return release(deps, item, () => registry.changeTenant(item, { ...soFar, leaseUntil: 0 }));
}

export function releaseCredential(
  deps: Pick<TenantsDeps, 'log'>,
  registry: Registry,
  item: CredentialItem,
  soFar: Partial<NewCredential>,
): Promise<void> {
  return release(deps, item, () => registry.changeCredential(item, { ...soFar, leaseUntil: 0 }));
}
