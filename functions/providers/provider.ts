import type { CredentialId, TenantId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { ProviderName } from './provider-name.ts';

/** What a provider lets Cordon do. Source per provider: the adapter's own references. */
export interface ProviderCapabilities {
  readonly createKey: boolean;
  readonly revoke: 'delete' | 'disable' | 'regenerate' | 'expiry' | 'none';
  readonly rotation: 'overlap' | 'two-slot' | 'customer-next' | 'mint';
  /** By what the provider can tell usage apart. */
  readonly usage: 'key' | 'workspace' | 'none';
}

/** The tenant's own compartment at the provider (a project, a workspace): its limits and its usage are nobody else's. */
export interface ProviderAccount {
  readonly accountId: string;
}

/** A key as the provider lists it: never its value. */
export interface ListedKey {
  readonly keyId: string;
  readonly name: string;
}

export interface CreatedKey extends ListedKey {
  /** The identity at the provider that owns the key. */
  readonly ownerId: string;
  readonly apiKey: SecretText;
}

/** The two keys that an Azure OpenAI resource has, as its own interface names them. A key's ID there is its slot. */
export const keySlots = ['Key1', 'Key2'] as const;
export type KeySlot = (typeof keySlots)[number];

/** The slot that a rotation may renew: the one that the live key is not in. */
export function idleSlot(liveKeyId: string | undefined): KeySlot {
  return liveKeyId === 'Key1' ? 'Key2' : 'Key1';
}

/** Called right before a request that makes, renews or ends a key leaves; throws when somebody else may be at the key by then. */
export type StillWanted = () => void;

/** `valid` also for a key that is throttled or lacks a scope: the provider knows it. `refused`: it does not. */
export type KeyValidity = 'valid' | 'refused';

/**
 * One adapter per provider. Errors are CordonError PROVIDER_UNAVAILABLE (retryable; with `retryAfterSeconds` when the provider named one) and
 * PROVIDER_REFUSED. Their messages hold neither a key nor what the provider answered.
 */
export interface Provider {
  readonly name: ProviderName;
  readonly capabilities: ProviderCapabilities;
  /**
   * The tenant's account, made if need be.
   *
   * @param mayExist true when an earlier attempt may have made it: then it is looked for by its name first. A first attempt does not list.
   */
  ensureAccount(tenantId: TenantId, mayExist: boolean): Promise<ProviderAccount>;
  /** Looks for the account without making it. */
  findAccount(tenantId: TenantId): Promise<ProviderAccount | undefined>;
  /**
   * Makes a key named by `keyName`. `mayExist` as above, for what owns the key. Not idempotent: that is what the name is for. May take up to a minute where
   * the provider makes keys in the background.
   *
   * Two slots: for a credential that has no live key yet, because every slot is renewed, so that nobody else has a key; later ones come from `regenerateSlot`.
   */
  createKey(
    account: ProviderAccount,
    request: { tenantId: TenantId; credentialId: CredentialId; attempt: number; mayExist: boolean; stillWanted?: StillWanted },
  ): Promise<CreatedKey>;
  /**
   * Two slots only: gives the slot a new value, which is the key of this attempt; the slot's old value is refused at once. Repeating it leaves no orphan: the value
   * of the lost answer is dead.
   */
  regenerateSlot?(
    account: ProviderAccount,
    slot: KeySlot,
    request: { tenantId: TenantId; credentialId: CredentialId; attempt: number; stillWanted?: StillWanted },
  ): Promise<CreatedKey>;
  /**
   * Every live key that was made for this credential, whichever attempt made it. Two slots have no names and hold no orphans: both are listed under the name of the
   * attempt that renewed one last, the live key's slot too.
   */
  listKeys(account: ProviderAccount, tenantId: TenantId, credentialId: CredentialId): Promise<readonly ListedKey[]>;
  /**
   * Asks the provider whether it accepts the key.
   *
   * @param account the tenant's: needed where each account is reached at an address of its own (`azure-openai`)
   */
  validateKey(apiKey: SecretText, account?: ProviderAccount): Promise<KeyValidity>;
  /** Idempotent: a key that is gone is revoked. Two slots: renews the slot and throws the value away, so it may be asked for only while the live key is in the other. */
  revokeKey(account: ProviderAccount, keyId: string, stillWanted?: StillWanted): Promise<void>;
  /** True once the provider refuses the key. A 403 or a 429 is no such answer. */
  confirmRevoked(apiKey: SecretText, account?: ProviderAccount): Promise<boolean>;
}

/** `{tenantId}.{credentialId}.{attempt}`. No ID holds a dot, so `acme` with `2-main` and `acme-2` with `main` never meet. */
export function keyName(tenantId: TenantId, credentialId: CredentialId, attempt: number): string {
  return `${tenantId}.${credentialId}.${attempt}`;
}

/** The attempt in a key's name, or undefined when the name is not of this credential. */
export function attemptOf(name: string, tenantId: TenantId, credentialId: CredentialId): number | undefined {
  const prefix = `${tenantId}.${credentialId}.`;
  if (!name.startsWith(prefix)) return undefined;
  const rest = name.slice(prefix.length);
  return /^[1-9]\d{0,8}$/.test(rest) ? Number(rest) : undefined;
}
