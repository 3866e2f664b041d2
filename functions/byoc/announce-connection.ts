import type { ByocDeps } from './byoc-deps.ts';
import type { Connection } from './connection.ts';

/**
 * Publishes what has become of a connection. Never an external ID.
 *
 * @throws CordonError as `Announcer`
 */
export async function announceConnection({ announcer }: Pick<ByocDeps, 'announcer'>, item: Connection): Promise<void> {
  const { tenantId, requestedBy, customerAccountId, services, regions, environment } = item;
  const about = { version: 1 as const, tenantId, requestedBy, customerAccountId, services, regions, environment };
  switch (item.status) {
    case 'pending':
      return announcer.announce('RoleConnectionOffered', { ...about, roleName: item.roleName, templateVersion: item.policyVersion });
    case 'active':
      return announcer.announce('RoleConnectionVerified', { ...about, roleArn: item.roleArn ?? '', findings: item.findings });
    case 'rejected':
      return announcer.announce('RoleConnectionRejected', { ...about, ...refusalOf(item) });
    case 'expired':
      return announcer.announce('RoleConnectionExpired', { ...about, ...refusalOf(item) });
    case 'suspended':
      return announcer.announce('RoleConnectionSuspended', { ...about, ...refusalOf(item) });
    case 'disconnected':
      return announcer.announce('RoleConnectionEnded', about);
  }
}

function refusalOf({ status, statusReason }: Connection): { reason: { code: string; message: string }; nextStep: string } {
  const { code, message, nextStep } = statusReason ?? { code: status.toUpperCase(), message: `The connection is ${status}.`, nextStep: '' };
  return { reason: { code, message }, nextStep };
}
