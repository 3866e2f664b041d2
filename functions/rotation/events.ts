import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { commonFailures, failure } from '../shared/failure-event.ts';
import { credentialId, tenantId } from '../shared/identifier-fields.ts';
import { displayText } from '../tenants/credential-spec.ts';

/** Every event this capability takes and publishes. No key is ever in one. Objects are strict: a misspelt member is refused, not ignored. */
const version = z.literal(1);
/** Secrets Manager's own limits of a version ID. Source: Secrets Manager API Reference, PutSecretValue, ClientRequestToken. */
const versionId = z.string().min(32).max(64);

/**
 * Somebody wants a credential's key changed, or a change taken back. `rollback`: the previous key again, or no new one if none is in force yet. `promote`: the version
 * named (the next or the previous one) now. `demote`: the version named (by default the one in force) is not to be used. `emergency`: the key in force is known to
 * others; schedule, activation time and grace do not count.
 */
export const rotationRequested = z
  .strictObject({
    version,
    tenantId,
    credentialId,
    requestedBy: displayText,
    why: displayText,
    action: z.enum(['rotate', 'rollback', 'promote', 'demote']).default('rotate'),
    versionId: versionId.optional(),
    emergency: z.boolean().default(false),
  })
  .refine(({ action, emergency }) => !emergency || action === 'rotate', { path: ['emergency'], message: 'is for action rotate only' })
  .refine(({ action, versionId: named }) => named === undefined || action === 'promote' || action === 'demote', {
    path: ['versionId'],
    message: 'is for actions promote and demote only',
  });
export type RotationRequested = z.infer<typeof rotationRequested>;

/** The customer handed over a key through the door; when it is not the first one, it is in force already, and the one before is to go. */
export const credentialSupplied = z.strictObject({ version, tenantId, credentialId, requestedBy: displayText });
export type CredentialSupplied = z.infer<typeof credentialSupplied>;

export const inboundEvents = { RotationRequested: rotationRequested, CredentialSupplied: credentialSupplied } as const;
export type InboundDetailType = keyof typeof inboundEvents;

const rotationId = z.ulid();
const about = { version, tenantId, credentialId, provider: providerName, requestedBy: displayText, why: displayText.optional() };
const reason = z.enum(['schedule', 'requested', 'emergency']);

export const outboundEvents = {
  /** A new key is in force. Of a minted credential nothing is stored: it has no versions, and the next use mints anew. */
  CredentialRotated: z.strictObject({
    ...about,
    rotationId,
    reason,
    versionId: z.string().optional(),
    previousVersionId: z.string().optional(),
  }),
  /** The provider was shown to refuse the old key. `drained`: nothing used it any more when it was retired; `limit`: its grace was over. */
  CredentialRetired: z.strictObject({
    ...about,
    rotationId,
    versionId: z.string(),
    retiredBy: z.enum(['drained', 'limit', 'emergency']),
    confirmedAt: z.iso.datetime(),
  }),
  /** The customer is to hand over the next key. `overdue`: it has been asked for before and its time is over. */
  CredentialNextRequested: z.strictObject({ ...about, rotationId, reason, dueAt: z.iso.datetime(), overdue: z.boolean() }),
  /** A day after it was retired the provider accepts the old key still. */
  CredentialUnproven: z.strictObject({ ...about, rotationId, versionId: z.string(), since: z.iso.datetime() }),
  /** The key that was in force before is so again. */
  CredentialRolledBack: z.strictObject({ ...about, rotationId, versionId: z.string(), demotedVersionId: z.string() }),
  CredentialRotationFailed: failure,
  ...commonFailures,
} as const;
export type OutboundDetailType = keyof typeof outboundEvents;

/** Detail types this capability consumes: the event rule and its schemas are made from this list. */
export const inboundDetailTypes: readonly InboundDetailType[] = ['RotationRequested', 'CredentialSupplied'];
