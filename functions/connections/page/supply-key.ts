/** Seals a key in the browser and hands the ciphertext over. The key itself goes into no request. */
import { sealSecret } from '../../credentials/seal-secret.ts';
import { type Api, ApiError } from './api.ts';

export interface KeyToSupply {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly provider: string;
  /** As it was entered. */
  readonly text: string;
}

const attempts = 3;

/**
 * The same ciphertext is sent again when Cordon or the provider could not do it just then: the door takes it once.
 *
 * @throws ApiError whose message says what to do
 */
export async function supplyKey(
  api: Pick<Api, 'doorKey' | 'supply'>,
  key: KeyToSupply,
  wait: (seconds: number) => Promise<void>,
): Promise<void> {
  const { tenantId, credentialId } = key;
  const { keys, nonce } = await api.doorKey();
  const publicKey = keys[0];
  if (!publicKey) throw new ApiError('UNCLEAR', 'Cordon gave no public key. Try again; if it stays, tell your platform.');
  const jwe = await sealed(() => sealSecret({ publicKey, tenantId, credentialId, nonce: nonce.value, secret: secretOf(key) }));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await api.supply(credentialId, jwe);
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfter === undefined || attempt === attempts) throw error;
      await wait(error.retryAfter);
    }
  }
}

/** An error of the cipher may quote what it was given: it is not passed on. */
async function sealed(seal: () => Promise<string>): Promise<string> {
  try {
    return await seal();
  } catch {
    throw new ApiError('NOT_SEALED', 'The key could not be encrypted in this browser, so nothing was sent. Use a current browser.');
  }
}

/** A database takes a connection string, every other provider a key. */
export function isDatabase(provider: string): boolean {
  return provider === 'postgres';
}

function secretOf({ provider, text }: KeyToSupply): { apiKey: string } | { connectionString: string } {
  return isDatabase(provider) ? { connectionString: text } : { apiKey: text };
}

/** What is wrong with a key before it is sealed; empty when nothing is. The key is not repeated. */
export function keyProblem(provider: string, text: string): string {
  const what = isDatabase(provider) ? 'connection string' : 'key';
  if (text === '') return `Enter the ${what}.`;
  if (!/^[\x21-\x7e]+$/.test(text)) return `A ${what} has no spaces, line breaks or special letters: copy it again.`;
  return text.length < 8 || text.length > 4096 ? `A ${what} has 8 to 4096 characters: copy it again.` : '';
}
