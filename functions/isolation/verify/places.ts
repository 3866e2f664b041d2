import { partitionOf } from '../../attribution/attribution-item.ts';
import type { TenantId } from '../../shared/identifiers.ts';

/** Where what is tried lies in this deployment. */
export interface Places {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  readonly registryTable: string;
  readonly attributionTable: string;
  /** The key that all pool tenants share. */
  readonly tenantKeyArn: string;
}

export const registryPartition = (tenantId: TenantId): string => `TENANT#${tenantId}#`;

/** @param now milliseconds since the epoch */
export const attributionPartition = (tenantId: TenantId, now: number): string =>
  partitionOf(tenantId, new Date(now).toISOString().slice(0, 10));

export const secretName = (tenantId: TenantId, name: string): string => `cordon/${tenantId}/${name}`;

export const roleArn = ({ partition, accountId }: Places, name: string): string => `arn:${partition}:iam::${accountId}:role/cordon/${name}`;

/** DynamoDB's form of a key. */
export const keyOf = (pk: string, sk: string): object => ({ pk: { S: pk }, sk: { S: sk } });
