import { type CredentialId, type TenantId, type UserId, userIdOf } from '../shared/identifiers.ts';
import type { AccessChange, Action, RevocationRequested, Scope, TenantOffboarded, UserOffboarded } from './events.ts';

/** What an event asks for, whichever event it is. */
export interface Asked {
  readonly tenantId: TenantId;
  readonly action: Action;
  readonly scope: Scope;
  readonly userId?: UserId | undefined;
  readonly agentId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly credentialId?: CredentialId | undefined;
  readonly versionId?: string | undefined;
  readonly requestedBy: string;
  readonly reason: string;
  readonly incidentId?: string | undefined;
}

/** The events that change who may do what. */
export type AccessEvent =
  | { readonly type: 'RevocationRequested'; readonly detail: RevocationRequested }
  | { readonly type: 'TenantOffboarded'; readonly detail: TenantOffboarded }
  | { readonly type: 'UserOffboarded'; readonly detail: UserOffboarded }
  | { readonly type: 'AccessSuspended'; readonly detail: AccessChange }
  | { readonly type: 'AccessReinstated'; readonly detail: AccessChange };

/** Pure. */
export function askedBy(event: AccessEvent): Asked {
  switch (event.type) {
    case 'RevocationRequested':
      return { ...without(event.detail), action: 'revoke' };
    case 'TenantOffboarded':
      return { ...without(event.detail), action: 'offboard', scope: 'tenant' };
    case 'UserOffboarded': {
      const { issuer, subject, ...detail } = event.detail;
      const userId = detail.userId ?? userIdOf(issuer ?? '', subject ?? '');
      return { ...without(detail), action: 'offboard', scope: 'user', userId };
    }
    case 'AccessSuspended':
      return { ...without(event.detail), action: 'suspend' };
    case 'AccessReinstated':
      return { ...without(event.detail), action: 'reinstate' };
  }
}

function without<Detail extends { readonly version: number }>({ version: _, ...rest }: Detail): Omit<Detail, 'version'> {
  return rest;
}
