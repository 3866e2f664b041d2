import { attemptOf, keyName, type Provider } from '../../../functions/providers/provider.ts';
import type { CordonError } from '../../../functions/shared/errors.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

interface MemoryKey {
  readonly keyId: string;
  readonly accountId: string;
  readonly name: string;
  readonly value: string;
  live: boolean;
}

export interface MemoryProvider extends Provider {
  readonly accounts: readonly { readonly accountId: string; readonly tenantId: string }[];
  readonly keys: readonly Readonly<MemoryKey>[];
  /** Makes every operation fail like this until told otherwise. */
  fail(error: CordonError | undefined): void;
  /** How often all accounts were gone through. */
  readonly lists: number;
}

/** A provider in memory. Like the real ones it knows no idempotency: what is asked for twice exists twice. */
export function createMemoryProvider(): MemoryProvider {
  const accounts: { accountId: string; tenantId: string }[] = [];
  const keys: MemoryKey[] = [];
  let failure: CordonError | undefined;
  let lists = 0;
  const check = (): void => {
    if (failure) throw failure;
  };
  const findAccount = (tenantId: string): { accountId: string } | undefined => {
    lists += 1;
    const found = accounts.find((account) => account.tenantId === tenantId);
    return found && { accountId: found.accountId };
  };
  return {
    name: 'openai',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'key' },
    accounts,
    keys,
    get lists() {
      return lists;
    },
    fail(error) {
      failure = error;
    },
    async ensureAccount(tenantId, mayExist) {
      check();
      const found = mayExist ? findAccount(tenantId) : undefined;
      if (found) return found;
      const account = { accountId: `proj_${accounts.length + 1}`, tenantId };
      accounts.push(account);
      return { accountId: account.accountId };
    },
    async findAccount(tenantId) {
      check();
      return findAccount(tenantId);
    },
    async createKey(account, { tenantId, credentialId, attempt }) {
      check();
      const name = keyName(tenantId, credentialId, attempt);
      const key = {
        keyId: `key_${keys.length + 1}`,
        accountId: account.accountId,
        name,
        value: `sk-canary-${keys.length + 1}`,
        live: true,
      };
      keys.push(key);
      return { keyId: key.keyId, name, ownerId: 'svc_1', apiKey: new SecretText(key.value) };
    },
    async listKeys(account, tenantId, credentialId) {
      check();
      const own = keys.filter(
        (key) => key.live && key.accountId === account.accountId && attemptOf(key.name, tenantId, credentialId) !== undefined,
      );
      return own.map(({ keyId, name }) => ({ keyId, name }));
    },
    async validateKey(apiKey) {
      check();
      return keys.some((key) => key.live && key.value === apiKey.reveal()) ? 'valid' : 'refused';
    },
    async revokeKey(_account, keyId) {
      check();
      for (const key of keys) if (key.keyId === keyId) key.live = false;
    },
    async confirmRevoked(apiKey) {
      check();
      return !keys.some((key) => key.live && key.value === apiKey.reveal());
    },
  };
}
