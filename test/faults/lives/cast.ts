/** Who lives: tenants, what they have, and what has been taken from them so far. */

export interface LivingCredential {
  readonly credentialId: string;
  readonly provider: 'openai' | 'azure-openai' | 'anthropic' | 'mistral';
  readonly source: 'platform-issued' | 'customer-supplied';
  /** Subject of the user whose own it is. */
  readonly subject?: string;
  /** Each has an environment of its own, by which a call finds it. */
  readonly environment: string;
  /** Keys that the customer has made for it. */
  readonly ownKeys: string[];
  /** Since when nobody may use it. */
  isRevoked: boolean;
}

export interface LivingTenant {
  readonly tenantId: string;
  readonly tier: 'pool' | 'dedicated';
  readonly credentials: LivingCredential[];
  /** Customers' accounts that are connected. */
  readonly accounts: { readonly accountId: string; isConnected: boolean }[];
  /** Who may do nothing: `user ana`, `agent x`, `session y`. */
  readonly refused: Set<string>;
  status: 'active' | 'suspended' | 'offboarded';
}

/** Whose token a call comes with. */
export interface Who {
  readonly subject?: string;
  readonly agentId?: string;
  readonly sessionId?: string;
}

/** Whether a call of theirs by this credential is to be refused. */
export function isRefused({ status, refused }: LivingTenant, credential: LivingCredential, who: Who): boolean {
  const named = [`user ${who.subject}`, `agent ${who.agentId}`, `session ${who.sessionId}`];
  return status !== 'active' || credential.isRevoked || named.some((name) => refused.has(name));
}
