import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { commonFailures, failure } from '../shared/failure-event.ts';
import { credentialId, tenantId, userId } from '../shared/identifier-fields.ts';
import { displayText } from '../tenants/credential-spec.ts';

/** Every event this capability takes and publishes. No key is ever in one. Objects are strict: a misspelt member is refused, not ignored. */
const version = z.literal(1);
/** What belongs together: everything that was done about one incident has its ID. */
export const incidentId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, dots, underscores or dashes, the first a letter or a digit',
  );
/** As `agent` and `session` claims are: what a token may hold. */
const claimed = z.string().min(1).max(128);
const versionId = z.string().min(32).max(64);
/** ID of the event that asked for it. */
export const revocationId = z.string().min(1).max(64);

const asked = { version, tenantId, requestedBy: displayText, reason: displayText, incidentId: incidentId.optional() };

/** What a revocation is about, most to least. */
export const scopes = ['tenant', 'user', 'agent', 'session', 'credential', 'version'] as const;
export type Scope = (typeof scopes)[number];

/**
 * Somebody or something is not to be used any more, from now on. `tenant` and `user`: suspended, and every credential they have is ended, here and at its provider.
 * `agent` and `session`: whoever's token names them is refused. `credential`: ended, with all its versions. `version`: that one key; when it is the one in force, the next
 * one is made at once, and until then there is none.
 */
export const revocationRequested = z.discriminatedUnion('scope', [
  z.strictObject({ ...asked, scope: z.literal('tenant') }),
  z.strictObject({ ...asked, scope: z.literal('user'), userId }),
  z.strictObject({ ...asked, scope: z.literal('agent'), agentId: claimed }),
  z.strictObject({ ...asked, scope: z.literal('session'), sessionId: claimed }),
  z.strictObject({ ...asked, scope: z.literal('credential'), credentialId }),
  z.strictObject({ ...asked, scope: z.literal('version'), credentialId, versionId }),
]);
export type RevocationRequested = z.infer<typeof revocationRequested>;

/** A tenant is no customer any more: all that it has is ended, and its ID is not used again. */
export const tenantOffboarded = z.strictObject(asked);
export type TenantOffboarded = z.infer<typeof tenantOffboarded>;

/** A user has left the tenant. Named by the user ID, or by issuer and subject, as in `UserOnboarded`. */
export const userOffboarded = z
  .strictObject({
    ...asked,
    userId: userId.optional(),
    issuer: endpointUrl.meta({ format: 'uri' }).optional(),
    subject: displayText.max(255).optional(),
  })
  .refine(
    ({ userId: id, issuer, subject }) =>
      (id === undefined) === (issuer !== undefined && subject !== undefined) && (issuer === undefined) === (subject === undefined),
    {
      message: 'must name the user by userId, or by issuer and subject',
    },
  );
export type UserOffboarded = z.infer<typeof userOffboarded>;

const accessChange = z.discriminatedUnion('scope', [
  z.strictObject({ ...asked, scope: z.literal('tenant') }),
  z.strictObject({ ...asked, scope: z.literal('user'), userId }),
]);
/** Nothing runs for the tenant or the user until they are reinstated. Nothing of theirs is ended. */
export const accessSuspended = accessChange;
/** The end of a suspension, also of one by a revocation. What was ended stays so. Has no effect on a suspension that was asked for in the same second or later. */
export const accessReinstated = accessChange;
export type AccessChange = z.infer<typeof accessChange>;

/** A person has made sure that the provider refuses every key of a credential that Cordon could not confirm, e.g. has deleted it in the provider's console. `reason` says how they know. */
export const revocationConfirmed = z.strictObject({ ...asked, credentialId });
export type RevocationConfirmed = z.infer<typeof revocationConfirmed>;

/** Somebody wants a certificate of what was ended: of one user, one incident, or the whole tenant. */
export const certificateRequested = z.strictObject({
  version,
  tenantId,
  requestedBy: displayText,
  of: z.union([z.strictObject({ userId }), z.strictObject({ incidentId }), z.strictObject({ tenant: z.literal(true) })]),
});
export type CertificateRequested = z.infer<typeof certificateRequested>;

export const inboundEvents = {
  RevocationRequested: revocationRequested,
  TenantOffboarded: tenantOffboarded,
  UserOffboarded: userOffboarded,
  AccessSuspended: accessSuspended,
  AccessReinstated: accessReinstated,
  RevocationConfirmed: revocationConfirmed,
  CertificateRequested: certificateRequested,
} as const;
export type InboundDetailType = keyof typeof inboundEvents;

/** What a revocation does to its subject. */
export const actions = ['revoke', 'offboard', 'suspend', 'reinstate'] as const;
export type Action = (typeof actions)[number];

const about = {
  version,
  tenantId,
  revocationId,
  requestedBy: displayText,
  reason: displayText,
  incidentId: incidentId.optional(),
};
const subject = {
  action: z.enum(actions),
  scope: z.enum(scopes),
  userId: userId.optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  credentialId: credentialId.optional(),
  versionId: z.string().optional(),
};
const counts = z.strictObject({
  credentials: z.int().min(0),
  versions: z.int().min(0),
  confirmed: z.int().min(0),
  unconfirmed: z.int().min(0),
});
export type Counts = z.infer<typeof counts>;

export const outboundEvents = {
  /** In force: each use that begins from now on is decided by it. What follows takes its time. */
  AccessChanged: z.strictObject({ ...about, ...subject, inForceAt: z.iso.datetime() }),
  /** A credential is ended: the provider refuses every key of it, and its secret is deleted. `confirmedBy` is `nobody` for one that had no key. */
  CredentialRevoked: z.strictObject({
    ...about,
    credentialId,
    provider: providerName,
    versionIds: z.array(z.string()),
    confirmedBy: z.enum(['provider', 'person', 'nobody']),
    confirmedAt: z.iso.datetime(),
  }),
  /** What could not be shown: the provider may accept a key of it still. Said again daily until it was confirmed. */
  RevocationUnconfirmed: z.strictObject({
    ...about,
    credentialId,
    provider: providerName,
    versionIds: z.array(z.string()),
    problem: z.string(),
    since: z.iso.datetime(),
  }),
  /** Everything that belongs to it is done. */
  RevocationCompleted: z.strictObject({ ...about, ...subject, counts, certificateId: z.string().optional() }),
  /** A certificate lies in the registry, in the tenant's own partition. */
  CertificateIssued: z.strictObject({
    version,
    tenantId,
    certificateId: z.string(),
    requestedBy: displayText,
    /** Of the event that asked for it. */
    requestId: z.string().max(128).optional(),
    revocationId: revocationId.optional(),
    counts,
  }),
  /** What was asked for could not be done. What is in force already stays so. */
  RevocationFailed: failure,
  CertificateFailed: failure,
  ...commonFailures,
} as const;
export type OutboundDetailType = keyof typeof outboundEvents;

/**
 * What takes something away, by the queue of whoever carries it out. Kept in the event log as it was sent: a registry that was restored to an earlier point is told
 * it again (docs/deploy.md, "Restore").
 */
export const toldAgain = {
  revocation: ['RevocationRequested', 'TenantOffboarded', 'UserOffboarded', 'AccessSuspended', 'AccessReinstated', 'RevocationConfirmed'],
  byoc: ['RoleDisconnectionRequested'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Detail types this capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = [
  'RevocationRequested',
  'TenantOffboarded',
  'UserOffboarded',
  'AccessSuspended',
  'AccessReinstated',
  'RevocationConfirmed',
  'CertificateRequested',
];
