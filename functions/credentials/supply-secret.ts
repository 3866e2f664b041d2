import { createHash } from 'node:crypto';
import { attributed, type Intent } from '../attribution/attributed.ts';
import { CordonError } from '../shared/errors.ts';
import { isCredentialId, type TenantId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialItem, TenantItem } from '../tenants/registry.ts';
import type { DoorDeps, DoorStores } from './door-deps.ts';
import type { Claim, NonceItem, Supplier } from './door-store.ts';
import { isSealedFor, notAccepted, openSecret, type SealedHeader, type SuppliedText, sealedHeaderOf } from './open-secret.ts';
import { storageKey } from './storage-key.ts';
import { suppliable, usable } from './supply-decision.ts';
import { announceSupply } from './supply-news.ts';
import { fitting, tryOperation, trySecret } from './try-secret.ts';

export interface Supply {
  /** As the path says. */
  readonly credentialId: string;
  /** A compact JWE. */
  readonly jwe: string;
  /** Milliseconds since the epoch: by then this run has ended, finished or not. */
  readonly deadline: number;
}

export interface SuppliedSecret {
  readonly credentialId: string;
  readonly provider: string;
  readonly environment: string;
  readonly status: 'active';
  /** The version of the stored secret, as attribution names it. */
  readonly version: string;
}

/**
 * Takes in a customer's own key, or a database's connection string: opens the ciphertext, tries what is inside where it is for, and stores it. Nothing is stored,
 * logged or published in the clear, and a key that its provider refuses is not stored at all. The next key of a credential comes the same way: its version takes the place of
 * the one in force.
 *
 * May be repeated with the same ciphertext after an interruption: until the nonce ends, or another supply of the credential begins, the repetition takes up what
 * was done. Once it went through, and once the provider has refused the key, the nonce is over.
 *
 * @throws CordonError SUPPLY_REFUSED | SUPPLY_NONCE_REFUSED | SUPPLIER_NOT_ALLOWED | CREDENTIAL_UNKNOWN | CREDENTIAL_NOT_SUPPLIED | KEY_REFUSED: as they say, for the
 *   caller to read; CUSTOMER_KEY_REFUSED | DATABASE_UNAVAILABLE too, and then the same may be sent again; CONFLICT | PROVIDER_UNAVAILABLE | AWS_UNAVAILABLE: send the same again; PROVIDER_REFUSED | ACCESS_REFUSED | AWS_REFUSED
 */
export async function supplySecret(
  deps: DoorDeps,
  stores: DoorStores,
  tenant: TenantItem,
  supplier: Supplier,
  supply: Supply,
): Promise<SuppliedSecret> {
  const header = sealedHeaderOf(supply.jwe);
  const { tenantId } = tenant;
  if (!isSealedFor(header, { tenantId, credentialId: supply.credentialId, nonce: header.nonce }))
    throw notAccepted('it was sealed for something else');
  const { credential, nonce, digest } = await permitted(deps, stores, supplier, supply, header);
  const secret = fitting(credential.provider, await openSealed(stores, tenantId, supply, header));
  const claim = await stores.door.claim(nonce, credential, { digest, leaseUntil: supply.deadline });
  let active: CredentialItem;
  try {
    active = await takeIn(deps, stores, tenant, supplier, claim, secret);
  } catch (error) {
    // A refused key has given the lease back already, together with the nonce.
    if (!(error instanceof CordonError) || error.code !== 'KEY_REFUSED') await release(deps, stores, claim);
    throw error;
  }
  await announceSupply(deps, stores, supplier, active);
  const { credentialId, provider, environment } = active;
  return { credentialId, provider, environment, status: 'active', version: active.secretVersionId ?? '' };
}

/** What this supply is about, if it may be. Nothing is changed, but that an earlier supply which is yet to be told of is told of first. */
async function permitted(
  deps: DoorDeps,
  stores: DoorStores,
  supplier: Supplier,
  supply: Supply,
  header: SealedHeader,
): Promise<{ credential: CredentialItem; nonce: NonceItem; digest: string }> {
  const { tenantId } = supplier;
  const { registry, door } = stores;
  // Text of a form that no credential has is answered like a credential that does not exist.
  const known = isCredentialId(supply.credentialId) ? await registry.credential(tenantId, supply.credentialId) : undefined;
  const found = suppliable(known, supplier, deps.supplierRoles);
  const credential = found.status === 'active' && !found.announced ? await announceSupply(deps, stores, supplier, found) : found;
  const asked = isNonce(header.nonce) ? await door.nonce(tenantId, header.nonce) : undefined;
  const digest = createHash('sha256').update(supply.jwe).digest('hex');
  const nonce = usable(asked, credential, { supplier, kid: header.kid, digest, now: deps.clock() });
  return { credential, nonce, digest };
}

/** Validates and stores; the lease of the credential is held. */
async function takeIn(
  deps: DoorDeps,
  stores: DoorStores,
  tenant: TenantItem,
  supplier: Supplier,
  claim: Claim,
  secret: SecretText,
): Promise<CredentialItem> {
  const { credential, nonce } = claim;
  const { tenantId, tier } = tenant;
  const { credentialId, provider, environment, userId, team, useCase } = credential;
  const attribution = { ...deps, store: stores.attribution };
  const intent = (operation: string): Intent => ({
    tenantId,
    actor: {
      function: 'door',
      requestedBy: supplier.subject,
      userId: supplier.userId,
      ...(supplier.agentId !== undefined && { agentId: supplier.agentId }),
      ...(supplier.sessionId !== undefined && { sessionId: supplier.sessionId }),
    },
    credentialId,
    provider,
    operation,
    context: { doorKey: nonce.kid },
  });
  const key = storageKey(deps.poolKeyArn, tenant, credential);
  // Opened before the provider is asked, so that a session that cannot be had costs nobody a call.
  const vault = await deps.openVault({ tenantId, tier, userId });
  const proven = await attributed(attribution, intent(tryOperation(provider)), async () => {
    try {
      return { value: await trySecret(deps, credential, secret) };
    } catch (error) {
      if (error instanceof CordonError && error.code === 'KEY_REFUSED') await stores.door.settle(claim, { result: 'refused' });
      throw error;
    }
  });
  const versionId = versionOf(tenantId, credentialId, nonce.value);
  const place = {
    tenantId,
    credentialId,
    provider,
    tier,
    environment,
    userId,
    team,
    useCase,
    ...key,
  };
  const stored = await attributed(attribution, intent('vault.store-secret'), async () => {
    const value = await vault.store(place, proven, versionId);
    return { value, credentialVersion: value.versionId };
  });
  return stores.door.settle(claim, { result: 'stored', secretArn: stored.secretArn, secretVersionId: stored.versionId, at: deps.clock() });
}

async function openSealed({ door, keyPairs }: DoorStores, tenantId: TenantId, supply: Supply, header: SealedHeader): Promise<SuppliedText> {
  const key = await door.doorKey(tenantId, header.kid.slice(0, 7));
  if (key?.kid !== header.kid) throw notAccepted('it was sealed for another key');
  const privateKey = await keyPairs.open(tenantId, key.kmsKeyArn, Buffer.from(key.privateKey, 'base64'));
  return openSecret(supply.jwe, privateKey, { tenantId, credentialId: supply.credentialId, nonce: header.nonce });
}

/** The nonce stays bound to the ciphertext; the lease goes back, so that the same may be sent again at once. When that cannot be written, it ends by itself. */
async function release(deps: DoorDeps, { registry }: DoorStores, { credential }: Claim): Promise<void> {
  try {
    await registry.changeCredential(credential, { leaseUntil: 0 });
  } catch (error) {
    const code = error instanceof CordonError ? error.code : 'UNEXPECTED';
    deps.log.warn('a lease could not be released; it ends by itself', { credentialId: credential.credentialId, code });
  }
}

function isNonce(text: string): boolean {
  return /^[A-Za-z0-9_-]{32}$/.test(text);
}

/** Follows from the nonce: the same supply, taken up again, is the same version. 64 characters, the most that Secrets Manager takes. */
function versionOf(tenantId: string, credentialId: string, nonce: string): string {
  return createHash('sha256').update(`door|${tenantId}|${credentialId}|${nonce}`).digest('hex');
}
