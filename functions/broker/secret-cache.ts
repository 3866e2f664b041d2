import type { CredentialId } from '../shared/identifiers.ts';
import type { Epochs } from './gate.ts';

/**
 * Secrets in memory, each valid only under the epochs it was read in. What the gate has shown is remembered per credential: a read that was begun under
 * older epochs may be slow and end after a revocation, and then fills nothing (the race by which revoked keys come back into caches).
 */
export interface SecretCache<Secret> {
  /** Remembers what the gate said. To be called with each reading that admitted, before `get`. */
  observe(credentialId: CredentialId, epochs: Epochs): void;
  /** The secret read under exactly these epochs; undefined when there is none. */
  get(credentialId: CredentialId, under: Epochs): Secret | undefined;
  /**
   * Keeps the secret, unless the gate has shown later epochs since `under` was read.
   *
   * @returns whether `under` is still the latest known
   */
  fill(credentialId: CredentialId, under: Epochs, secret: Secret): boolean;
  /** True when the gate has shown later epochs than these. */
  isOutdated(credentialId: CredentialId, epochs: Epochs): boolean;
}

interface Slot<Secret> {
  readonly under: Epochs;
  readonly secret: Secret;
}

export function createSecretCache<Secret>(): SecretCache<Secret> {
  const latest = new Map<CredentialId, Epochs>();
  const slots = new Map<CredentialId, Slot<Secret>>();

  const isOutdated = (credentialId: CredentialId, epochs: Epochs): boolean => {
    const known = latest.get(credentialId);
    return known !== undefined && isOlder(epochs, known);
  };

  return {
    isOutdated,
    observe(credentialId, epochs) {
      const known = latest.get(credentialId);
      latest.set(credentialId, known === undefined ? epochs : later(known, epochs));
      const slot = slots.get(credentialId);
      // Plaintext that can never be served again is not kept.
      if (slot !== undefined && isOlder(slot.under, epochs)) slots.delete(credentialId);
    },
    get(credentialId, under) {
      const slot = slots.get(credentialId);
      return slot !== undefined && isSame(slot.under, under) ? slot.secret : undefined;
    },
    fill(credentialId, under, secret) {
      if (isOutdated(credentialId, under)) return false;
      slots.set(credentialId, { under, secret });
      return true;
    },
  };
}

function isOlder(a: Epochs, than: Epochs): boolean {
  if (a.tenant < than.tenant || a.user < than.user || a.credential < than.credential || connectionEpoch(a) < connectionEpoch(than))
    return true;
  return a.itemVersion < than.itemVersion && a.secretVersionId !== than.secretVersionId;
}

function later(a: Epochs, b: Epochs): Epochs {
  const newest = b.itemVersion >= a.itemVersion ? b : a;
  return {
    ...newest,
    tenant: Math.max(a.tenant, b.tenant),
    user: Math.max(a.user, b.user),
    credential: Math.max(a.credential, b.credential),
    connection: connectionEpoch(b) >= connectionEpoch(a) ? b.connection : a.connection,
  };
}

const connectionEpoch = ({ connection }: Epochs): number => connection?.epoch ?? -1;

function isSame(a: Epochs, b: Epochs): boolean {
  return a.tenant === b.tenant && a.credential === b.credential && a.secretVersionId === b.secretVersionId && a.user === b.user;
}
