import { z } from 'zod';
import { commonFailures, failure } from '../shared/failure-event.ts';
import { tenantId } from '../shared/identifier-fields.ts';
import { displayText, environmentName } from '../tenants/credential-spec.ts';
import { serviceName } from './service-name.ts';

/** Every event this capability takes and publishes. No external ID is ever in one. Objects are strict: a misspelt member is refused, not ignored. */
const version = z.literal(1);
export const customerAccountId = z.string().regex(/^\d{12}$/, 'must be the 12 digits of an AWS account ID');
export const awsRegion = z.string().regex(/^[a-z]{2}(-[a-z]+){1,2}-\d$/, 'must be an AWS region');

function distinct<Item extends z.ZodType<string>>(item: Item, most: number) {
  return z
    .array(item)
    .min(1)
    .max(most)
    .refine((items) => new Set(items).size === items.length, 'names something twice')
    .meta({ uniqueItems: true });
}

/** What of the customer's account is to be used, and for what. */
const asked = {
  customerAccountId,
  services: distinct(serviceName, 4),
  regions: distinct(awsRegion, 10),
  environment: environmentName.default('production'),
  dataClasses: z.array(environmentName).max(16).optional(),
};

/** A tenant wants to work in an AWS account of its own, through a role that it will make there. */
export const roleConnectionRequested = z.strictObject({ version, tenantId, requestedBy: displayText, ...asked });
export type RoleConnectionRequested = z.infer<typeof roleConnectionRequested>;

/** The account is not to be used any more: in force at the next use. */
export const roleDisconnectionRequested = z.strictObject({ version, tenantId, requestedBy: displayText, customerAccountId });
export type RoleDisconnectionRequested = z.infer<typeof roleDisconnectionRequested>;

export const inboundEvents = {
  RoleConnectionRequested: roleConnectionRequested,
  RoleDisconnectionRequested: roleDisconnectionRequested,
} as const;
export type InboundDetailType = keyof typeof inboundEvents;

const connection = {
  version,
  tenantId,
  requestedBy: displayText,
  customerAccountId,
  services: z.array(serviceName),
  regions: z.array(awsRegion),
  environment: environmentName,
};
const reason = z.strictObject({ code: z.string(), message: z.string() });
/** `nextStep`: what the customer can do about it. */
const refusal = z.strictObject({ ...connection, reason, nextStep: z.string() });

export const outboundEvents = {
  /** Everything is ready for the customer to make the role; the link is in the API, not here. */
  RoleConnectionOffered: z.strictObject({ ...connection, roleName: z.string(), templateVersion: z.string() }),
  /** The role does what it is for and lets nobody else in. `findings`: what it could do better all the same. */
  RoleConnectionVerified: z.strictObject({
    ...connection,
    roleArn: z.string(),
    findings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  }),
  /** The role is there and wrong; nothing of it is used. */
  RoleConnectionRejected: refusal,
  /** A day went by and no role came to work. */
  RoleConnectionExpired: refusal,
  /** A role that was verified is not sound any more: no use since. */
  RoleConnectionSuspended: refusal,
  RoleConnectionEnded: z.strictObject(connection),
  RoleConnectionFailed: failure,
  ...commonFailures,
} as const;
export type OutboundDetailType = keyof typeof outboundEvents;

/** Detail types this capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = ['RoleConnectionRequested', 'RoleDisconnectionRequested'];
