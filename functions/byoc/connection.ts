import { z } from 'zod';
import { environmentName } from '../tenants/credential-spec.ts';
import { itemFields, lease } from '../tenants/registry.ts';
import { awsRegion, customerAccountId } from './events.ts';
import { serviceName } from './service-name.ts';

/** Why a connection is not in use, or not as sure as it should be. All three are shown to the customer; none holds an external ID. */
export const statusReason = z.object({ code: z.string(), message: z.string(), nextStep: z.string() });
export type StatusReason = z.infer<typeof statusReason>;

/**
 * A tenant's way into one AWS account of its own: registry item `CONNECTION#{customerAccountId}`. One per tenant and customer account; external ID and role name
 * stay the same for as long as the item exists.
 */
export const connection = z.object({
  ...itemFields,
  ...lease,
  kind: z.literal('CONNECTION'),
  customerAccountId,
  services: z.array(serviceName),
  regions: z.array(awsRegion),
  environment: environmentName,
  dataClasses: z.array(environmentName).optional(),
  roleName: z.string(),
  externalId: z.string(),
  /** `pending`: no working role was found yet. `rejected`: one was found and is wrong. `suspended`: it was verified and no longer is what it was. */
  status: z.enum(['pending', 'active', 'rejected', 'expired', 'suspended', 'disconnected']),
  statusReason: statusReason.optional(),
  /** Since when the reason has had its code, in milliseconds since the epoch. */
  reasonSince: z.int().optional(),
  findings: z.array(z.object({ code: z.string(), message: z.string() })),
  /** A role that does not work by then is not waited for any longer. Milliseconds since the epoch, as all that follow. */
  requestedUntil: z.int(),
  /** When the role was last found sound. */
  verifiedAt: z.int().optional(),
  /** When it was last probed, whatever came of it. */
  probedAt: z.int().optional(),
  /** Of the verified role; not there before. */
  roleArn: z.string().optional(),
  roleId: z.string().optional(),
  /** The template's version that the customer was offered. */
  policyVersion: z.string(),
  /** Runs in a row that came to no result: AWS gave no answer, or Cordon's own work failed. */
  setbacks: z.int().min(0),
  /** The event that was applied last, as `AppliedEvents`. */
  eventTime: z.iso.datetime(),
  eventIds: z.array(z.string()),
  /** Keys of the index `due`: when this is to be looked at next. Both or neither. */
  dueShard: z.string().optional(),
  dueAt: z.int().optional(),
});
export type Connection = z.infer<typeof connection>;

/** Without the members that writing fills in. */
export type NewConnection = Omit<Connection, 'version' | 'writeId' | 'createdAt' | 'updatedAt'>;

export const connectionPrefix = 'CONNECTION#';
