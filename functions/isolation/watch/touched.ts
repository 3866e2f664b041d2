import { isTenantId, type TenantId } from '../../shared/identifiers.ts';
import type { TrailRecord } from './trail-record.ts';

/** A tenant's secret, as a call has named it. */
export interface TouchedSecret {
  readonly tenantId: TenantId;
  /** What may be its credential ID: an ARN ends in six characters of AWS's that cannot be told from an ID's own. */
  readonly credentialIds: readonly string[];
}

const arnOfSecret = /^arn:[^:]+:secretsmanager:[^:]*:\d{12}:secret:(.+)$/;
const arnSuffix = /-[A-Za-z0-9?]{6}$/;
const refusedResource = / on resource: (\S+)/;

/**
 * The tenants' secrets that a call was about. Where a refusal does not say what was asked for, its message names the resource. Source: IAM User Guide, "Troubleshoot access denied error
 * messages".
 */
export function secretsOf({ requestParameters: asked, errorMessage }: TrailRecord): readonly TouchedSecret[] {
  const named = [asked.secretId, asked.name, ...(asked.secretIdList ?? [])].filter((name) => name !== undefined);
  const all = named.length > 0 ? named : [resourceOf(errorMessage) ?? ''];
  return all.flatMap((name) => secretOf(name) ?? []);
}

/** The resource that a refusal's message names. */
export function resourceOf(errorMessage: string | undefined): string | undefined {
  return refusedResource.exec(errorMessage ?? '')?.[1];
}

function secretOf(named: string): TouchedSecret | undefined {
  const inArn = arnOfSecret.exec(named)?.[1];
  const [, tenantId = '', credentialId] = /^cordon\/([^/]+)(?:\/(.+))?$/.exec(inArn ?? named) ?? [];
  if (!isTenantId(tenantId)) return undefined;
  if (credentialId === undefined) return { tenantId, credentialIds: [] };
  return { tenantId, credentialIds: inArn === undefined ? [credentialId] : [credentialId.replace(arnSuffix, ''), credentialId] };
}
