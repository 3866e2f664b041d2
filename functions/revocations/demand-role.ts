import { CordonError } from '../shared/errors.ts';

/** The role claim whose bearers revoke, and read what was revoked, in their own tenant. */
const revokingRole = 'admin';

/**
 * Asked before anything is read, so that who may not learns nothing of what exists.
 *
 * @throws CordonError ROLE_REQUIRED
 */
export function demandRole({ role }: { readonly role?: string | undefined }): void {
  if (role !== revokingRole)
    throw new CordonError('ROLE_REQUIRED', 'only a caller whose role is admin may revoke, and see what was revoked');
}
