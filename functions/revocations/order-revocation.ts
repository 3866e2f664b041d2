import { z } from 'zod';
import {
  accessReinstated,
  accessSuspended,
  actions,
  type InboundDetailType,
  type inboundEvents,
  revocationConfirmed,
  revocationRequested,
  scopes,
  tenantOffboarded,
  userOffboarded,
} from '../revocation/events.ts';
import { callerName } from '../sessions/admit-caller.ts';
import type { VerifiedIdentity } from '../sessions/token-verifier.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { PublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import type { OrderedAnswer } from './revocations-answer.ts';

/** The events that this function publishes, as the platform does. */
export type Orders = {
  readonly [Type in Exclude<InboundDetailType, 'CertificateRequested'>]: z.infer<(typeof inboundEvents)[Type]>;
};

export interface OrderDeps {
  readonly publish: PublishAsPlatform<Orders>;
}

/** What a caller may say; tenant and person come from the token. */
export const orderBody = z.strictObject({
  action: z.enum(actions).optional(),
  scope: z.enum(scopes).optional(),
  confirm: z.string().optional(),
  userId: z.string().optional(),
  issuer: z.string().optional(),
  subject: z.string().optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
  credentialId: z.string().optional(),
  versionId: z.string().optional(),
  reason: z.string().optional(),
  incidentId: z.string().optional(),
});
type Order = z.infer<typeof orderBody>;

/** What to write instead; the values that were sent are not repeated. */
const rules: Readonly<Record<string, string>> = {
  action: `action must be one of ${actions.join(', ')}`,
  scope: `scope must be tenant or user, of a revocation also ${scopes.slice(2).join(', ')}`,
  userId: 'userId must be a user ID: 26 characters a-z and 2-7',
  agentId: 'agentId must be 1 to 128 characters',
  sessionId: 'sessionId must be 1 to 128 characters',
  credentialId: 'credentialId must be a credential ID',
  versionId: 'versionId must be the ID of a version of the credential',
  reason: 'reason must be 1 to 128 characters without control characters',
  incidentId: 'incidentId must be 1 to 64 letters, digits, dots, underscores or dashes',
};
export const orderRule =
  'the body must be {action, scope, reason, incidentId?} with the ID that the scope asks for (userId, agentId, sessionId, credentialId, and for a version also versionId), or {confirm: credentialId, reason, incidentId?}, and nothing else';

/** Of a body's problems, in words of ours. */
export function orderProblem({ issues }: z.ZodError): string {
  return [
    ...new Set(issues.map(({ code, path: [member] }) => (code === 'unrecognized_keys' ? orderRule : (rules[String(member)] ?? orderRule)))),
  ].join('; ');
}

/**
 * Asks for a revocation, an offboarding, a suspension or the end of one; it is in force within seconds, for the tenant of the token and no other.
 *
 * @throws CordonError CALL_INVALID, for the caller to read; and as `PublishAsPlatform`
 */
export async function orderRevocation(
  { publish }: OrderDeps,
  caller: Pick<VerifiedIdentity, 'userId' | 'subject'>,
  tenantId: TenantId,
  { action, confirm, ...rest }: Order,
): Promise<OrderedAnswer> {
  const asked = { version: 1, tenantId, requestedBy: callerName(caller), ...rest };
  if (action !== undefined && confirm === undefined) return { revocationId: await published(publish, action, asked), status: 'requested' };
  if (action !== undefined || confirm === undefined || rest.credentialId !== undefined) throw new CordonError('CALL_INVALID', orderRule);
  const detail = checked(revocationConfirmed, { ...asked, credentialId: confirm });
  await publish('RevocationConfirmed', detail);
  return { credentialId: detail.credentialId, status: 'confirmation-requested' };
}

type Asked = Record<string, unknown> & { readonly scope?: string | undefined };

/** @returns the ID of the event, which is that of the revocation */
function published(publish: OrderDeps['publish'], action: NonNullable<Order['action']>, asked: Asked): Promise<string> {
  if (action === 'revoke') return publish('RevocationRequested', checked(revocationRequested, asked));
  if (action === 'suspend') return publish('AccessSuspended', checked(accessSuspended, asked));
  if (action === 'reinstate') return publish('AccessReinstated', checked(accessReinstated, asked));
  const { scope, ...whom } = asked;
  if (scope === 'tenant') return publish('TenantOffboarded', checked(tenantOffboarded, whom));
  if (scope === 'user') return publish('UserOffboarded', checked(userOffboarded, whom));
  throw new CordonError('CALL_INVALID', 'scope must be tenant or user');
}

/** As the event's own schema has it: what is refused here would be refused there, where nobody waits for an answer. */
function checked<Schema extends z.ZodType>(schema: Schema, asked: Asked): z.infer<Schema> {
  const parsed = schema.safeParse(asked);
  if (!parsed.success) throw new CordonError('CALL_INVALID', orderProblem(parsed.error));
  return parsed.data;
}
