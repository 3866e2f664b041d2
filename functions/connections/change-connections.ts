import type { z } from 'zod';
import { customerAccountId, type roleConnectionRequested, type roleDisconnectionRequested } from '../byoc/events.ts';
import { callerName } from '../sessions/admit-caller.ts';
import type { VerifiedIdentity } from '../sessions/token-verifier.ts';
import { CordonError } from '../shared/errors.ts';
import type { PublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import type { AskedAnswer } from './connections-answer.ts';
import { mayChange } from './may-change.ts';
import type { OpenedTenant } from './tenant-view.ts';

/** The wishes that this function publishes, as the platform does. */
export interface Wishes {
  readonly RoleConnectionRequested: z.input<typeof roleConnectionRequested>;
  readonly RoleDisconnectionRequested: z.input<typeof roleDisconnectionRequested>;
}

export interface ChangeDeps {
  readonly publish: PublishAsPlatform<Wishes>;
  /** Cordon's own account: nobody's to connect. */
  readonly platformAccountId: string;
}

type Caller = Pick<VerifiedIdentity, 'userId' | 'role' | 'subject'>;
/** What a caller may say of a connection; tenant and person come from the token. */
export type ConnectionWish = Omit<Wishes['RoleConnectionRequested'], 'version' | 'tenantId' | 'requestedBy'>;

/** Accounts that are looked after at a time: each is probed for a day, or daily. */
const maxOpen = 50;
const closed: ReadonlySet<string> = new Set(['expired', 'disconnected']);

/**
 * Asks for a connection; `byoc` takes it up within seconds.
 *
 * @throws CordonError ROLE_REQUIRED | CALL_INVALID, for the caller to read; and as `PublishAsPlatform` and `TenantView`
 */
export async function requestConnection(
  deps: ChangeDeps,
  caller: Caller,
  { tenantId, view }: OpenedTenant,
  wish: ConnectionWish,
): Promise<AskedAnswer> {
  demandRole(caller);
  if (wish.customerAccountId === deps.platformAccountId)
    throw new CordonError('CALL_INVALID', "customerAccountId is Cordon's own account: name the account that is yours");
  const open = (await view.connections()).filter(({ status }) => !closed.has(status)).map(({ customerAccountId }) => customerAccountId);
  if (open.length >= maxOpen && !open.includes(wish.customerAccountId))
    throw new CordonError('CALL_INVALID', `${maxOpen} AWS accounts are connected already: disconnect one first`);
  await deps.publish('RoleConnectionRequested', { ...wish, version: 1, tenantId, requestedBy: callerName(caller) });
  return { customerAccountId: wish.customerAccountId, status: 'requested' };
}

/**
 * Asks for the end of a connection; it may be asked again when it has ended.
 *
 * @throws CordonError ROLE_REQUIRED | CALL_INVALID | CONNECTION_UNKNOWN, for the caller to read; and as `PublishAsPlatform` and `TenantView`
 */
export async function requestDisconnection(
  deps: ChangeDeps,
  caller: Caller,
  { tenantId, view }: OpenedTenant,
  accountId: string,
): Promise<AskedAnswer> {
  demandRole(caller);
  const account = customerAccountId.safeParse(accountId);
  if (!account.success) throw new CordonError('CALL_INVALID', 'the path must end in the 12 digits of an AWS account ID');
  if ((await view.connection(account.data)) === undefined)
    throw new CordonError('CONNECTION_UNKNOWN', 'there is no connection to this AWS account');
  const detail = { version: 1, tenantId, requestedBy: callerName(caller), customerAccountId: account.data } as const;
  await deps.publish('RoleDisconnectionRequested', detail);
  return { customerAccountId: account.data, status: 'disconnection-requested' };
}

/** Asked before anything is read, so that who may not learns nothing of what exists. */
function demandRole(caller: Caller): void {
  if (!mayChange(caller))
    throw new CordonError('ROLE_REQUIRED', 'only a caller whose role is admin may connect or disconnect AWS accounts');
}
