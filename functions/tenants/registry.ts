import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { ending } from '../revocation/ending.ts';
import { tenantId, userId } from '../shared/identifier-fields.ts';
import type { CredentialId, TenantId, UserId } from '../shared/identifiers.ts';
import { credentialSpec, routingRule, storedCredential, tier } from './credential-spec.ts';
import { heldVersion, rotating } from './rotation-fields.ts';

/** What every registry item carries. */
export const itemFields = {
  tenantId,
  /** Rises with every revocation. */
  epoch: z.int().min(0),
  /** Optimistic lock: rises with every write. */
  version: z.int().min(1),
  /** Marks the write that made this version, so that its author knows it again after a lost answer. */
  writeId: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  requestedBy: z.string(),
  /** True once the event that tells of this item has been published. */
  announced: z.boolean(),
};

/** A worker's hold on an item: nobody else starts on it before `until` (milliseconds since the epoch; 0 when it is free). */
export const lease = {
  /** Counts the attempts; what is made outside carries it in its name. */
  attempt: z.int().min(0),
  leaseUntil: z.int().min(0),
};

const failure = z.object({ code: z.string(), message: z.string(), left: z.array(z.string()) });

export const tenantItem = z.object({
  ...itemFields,
  ...lease,
  kind: z.literal('TENANT'),
  /** `suspended`: until it is reinstated. `offboarded`: for good. */
  status: z.enum(['provisioning', 'active', 'suspended', 'failed', 'offboarded']),
  /** When the latest suspension was asked for: a reinstatement that was asked for before does not end it. */
  suspendedAt: z.iso.datetime().optional(),
  /** What it was when it was suspended, and is again when that ends. */
  statusBefore: z.enum(['provisioning', 'active', 'failed']).optional(),
  displayName: z.string(),
  tier,
  /** Of a dedicated tenant, once it is made. */
  keyArn: z.string().optional(),
  /** The tenant's accounts at providers: how often making one was begun, and its ID once it is made. */
  accounts: z.partialRecord(providerName, z.object({ attempt: z.int().min(1), accountId: z.string().optional() })),
  /** The credentials of the onboarding: what a repeated event must not contradict. */
  plan: z.array(credentialSpec),
  rules: z.array(routingRule),
  rulesVersion: z.int().min(0),
  /** When the event was sent that these rules come from, and the IDs of the events of that very second that were applied. */
  rulesTime: z.iso.datetime().optional(),
  rulesEventIds: z.array(z.string()),
  rulesAnnounced: z.boolean(),
  /** True when decoys may lie among its secrets: they go when it does. Which they are is not said. */
  hasDecoys: z.boolean().optional(),
  failure: failure.optional(),
});
export type TenantItem = z.infer<typeof tenantItem>;

export const userItem = z.object({
  ...itemFields,
  kind: z.literal('USER'),
  userId,
  /** As of a tenant. */
  status: z.enum(['active', 'suspended', 'offboarded']),
  suspendedAt: z.iso.datetime().optional(),
  issuer: z.string(),
  subject: z.string(),
  displayName: z.string().optional(),
});
export type UserItem = z.infer<typeof userItem>;

export const credentialItem = z.object({
  ...itemFields,
  ...lease,
  ...storedCredential.shape,
  kind: z.literal('CREDENTIAL'),
  tier,
  /** `awaiting`: the customer has yet to hand it over. `recorded`: federated, nothing is stored. */
  status: z.enum(['provisioning', 'awaiting', 'recorded', 'active', 'failed', 'revoked']),
  /** True when an earlier attempt may have stored a secret. */
  secretMayExist: z.boolean(),
  keyId: z.string().optional(),
  ownerId: z.string().optional(),
  secretArn: z.string().optional(),
  secretVersionId: z.string().optional(),
  /** When the customer's latest secret came into force (milliseconds since the epoch): a permit to supply one that is older than this is over. */
  suppliedAt: z.int().optional(),
  /** The attempt in the name of the key in force; 0 or missing for one that the customer made. */
  keyAttempt: z.int().min(0).optional(),
  /** The key before the one in force, until the provider was shown to refuse it. */
  previous: heldVersion.optional(),
  /** When the key in force came into force by a rotation. Milliseconds since the epoch. */
  rotatedAt: z.int().optional(),
  /** There while a rotation is under way. */
  rotating: rotating.optional(),
  /** Requests for a rotation that were applied last, so that one that is delivered again is known. */
  rotationRequests: z.array(z.string()).optional(),
  /** True while the key in force is known to others: use goes to the rule's backup until the next one is in force. */
  diverted: z.boolean().optional(),
  /** There from the write on that revoked it: what becomes of its keys. */
  ending: ending.optional(),
  /** Versions that were revoked one by one: none of them is used, whichever is in force. */
  revokedVersionIds: z.array(z.string()).optional(),
  /** Keys of the index `due`: when this is to be looked at next. Both or neither. */
  dueShard: z.string().optional(),
  dueAt: z.int().optional(),
  failure: failure.optional(),
});
export type CredentialItem = z.infer<typeof credentialItem>;

export type RegistryItem = TenantItem | UserItem | CredentialItem;

/** The members that writing fills in. */
type Written = 'version' | 'writeId' | 'createdAt' | 'updatedAt';
export type NewTenant = Omit<TenantItem, Written>;
export type NewUser = Omit<UserItem, Written>;
export type NewCredential = Omit<CredentialItem, Written>;

/** Whom a token names. */
export interface Buried {
  readonly userId?: UserId | undefined;
  readonly agentId?: string | undefined;
  readonly sessionId?: string | undefined;
}

/**
 * What Cordon knows of one tenant. Reads are strongly consistent.
 *
 * Writes are conditional: adding on the item's absence, changing on the version that was read. They throw CordonError CONFLICT when somebody
 * else wrote first, and succeed when the write was done but its answer lost. All operations throw ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED too, and
 * reads ITEM_NOT_UNDERSTOOD (retryable) for an item of a form that this version does not know.
 */
export interface Registry {
  tenant(tenantId: TenantId): Promise<TenantItem | undefined>;
  user(tenantId: TenantId, userId: UserId): Promise<UserItem | undefined>;
  credential(tenantId: TenantId, credentialId: CredentialId): Promise<CredentialItem | undefined>;
  /** True when one of them was revoked and has no item of its own: who never had one, or had none yet. */
  isBuried(tenantId: TenantId, who: Buried): Promise<boolean>;
  /** Every credential of the tenant, in the order of their IDs. */
  credentials(tenantId: TenantId): Promise<readonly CredentialItem[]>;
  addTenant(item: NewTenant): Promise<TenantItem>;
  addUser(item: NewUser): Promise<UserItem>;
  addCredential(item: NewCredential): Promise<CredentialItem>;
  /** Lays `change` over the item; a member that is named but undefined is removed. What is not named stays, also what this code does not know. */
  changeTenant(item: TenantItem, change: Partial<NewTenant>): Promise<TenantItem>;
  changeUser(item: UserItem, change: Partial<NewUser>): Promise<UserItem>;
  changeCredential(item: CredentialItem, change: Partial<NewCredential>): Promise<CredentialItem>;
  /**
   * Moves a credential's due time without reading or understanding it: for one that cannot be dealt with. False when it is due at another time by now, or not at all.
   *
   * @param change when it was due, and until when it is to be left alone, in milliseconds since the epoch
   */
  postponeCredential(
    tenantId: TenantId,
    credentialId: CredentialId,
    change: { readonly dueAt: number; readonly until: number },
  ): Promise<boolean>;
}
