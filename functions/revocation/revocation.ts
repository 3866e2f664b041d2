import { z } from 'zod';
import { credentialId, userId } from '../shared/identifier-fields.ts';
import { itemFields, lease } from '../tenants/registry.ts';
import { actions, incidentId, revocationId, scopes } from './events.ts';

/**
 * What somebody asked for and what has become of it: registry item `REVOCATION#{revocationId}`. The subject itself is changed in the same write, so that there is
 * no revocation that is not in force. Times are milliseconds since the epoch.
 */
export const revocation = z.object({
  ...itemFields,
  ...lease,
  kind: z.literal('REVOCATION'),
  revocationId,
  action: z.enum(actions),
  scope: z.enum(scopes),
  userId: userId.optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  credentialId: credentialId.optional(),
  versionId: z.string().optional(),
  reason: z.string(),
  incidentId: incidentId.optional(),
  /** When the event was sent. */
  requestedAt: z.iso.datetime(),
  /** Since when each use is decided by it. */
  inForceAt: z.int(),
  /** `open`: work is left. `unconfirmed`: all that is left is what a provider did not confirm. `done`: nothing is. */
  status: z.enum(['open', 'unconfirmed', 'done']),
  /** The cut-off of STS sessions that were issued before, of a tenant or a user. `appliedAt`: since when IAM has the policy with it. `endedAt`: by then every such session had ended by itself. */
  cutOff: z
    .object({
      id: z.string(),
      before: z.int(),
      appliedAt: z.int().optional(),
      policyVersionId: z.string().optional(),
      endedAt: z.int().optional(),
    })
    .optional(),
  /** True once `AccessChanged` was published, and it was put on record. */
  told: z.boolean(),
  /** True once the rotation was told to replace or retire a revoked version. */
  replacementAsked: z.boolean().optional(),
  /** True once every credential of the scope says of itself that it is ended. */
  marked: z.boolean(),
  /** True once every connection to a customer's account was told to end; of an offboarded tenant. */
  connectionsEnded: z.boolean().optional(),
  counts: z.object({ credentials: z.int(), versions: z.int(), confirmed: z.int(), unconfirmed: z.int() }),
  /** The latest certificate of it. */
  certificateId: z.string().optional(),
  doneAt: z.int().optional(),
  /** Runs in a row that failed on it. */
  setbacks: z.int().min(0),
  /** Keys of the index `due`: when this is to be looked at next. Both or neither. */
  dueShard: z.string().optional(),
  dueAt: z.int().optional(),
});
export type Revocation = z.infer<typeof revocation>;
/** Without the members that writing fills in. */
export type NewRevocation = Omit<Revocation, 'version' | 'writeId' | 'createdAt' | 'updatedAt'>;

export const revocationPrefix = 'REVOCATION#';
