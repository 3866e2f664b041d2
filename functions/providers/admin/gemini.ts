import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import { CordonError } from '../../shared/errors.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { geminiVerdict } from '../key-verdict.ts';
import { attemptOf, keyName, type Provider } from '../provider.ts';
import { collectPages, createProviderAdmin, createProviderHttp, type ProviderAdmin } from '../provider-http.ts';
import { createAccessTokens } from './access-tokens.ts';
import type { AdminDeps } from './admin-deps.ts';
import { parseAdminSecret } from './admin-secret.ts';
import { bearer, createKeyCheck } from './key-check.ts';

const adminSecret = z.object({
  projectNumber: z.string().regex(/^\d{1,20}$/),
  clientEmail: z.email(),
  privateKey: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
  privateKeyId: z.string().min(1).optional(),
});
type AdminSecret = z.infer<typeof adminSecret>;

/** Names come back in our requests' paths. */
const keyResource = z.object({
  name: z.string().regex(/^projects\/[^/?#]{1,64}\/locations\/global\/keys\/[a-z0-9-]{1,64}$/),
  annotations: z.record(z.string(), z.string()).optional(),
});
const keyPage = z.object({ keys: z.array(keyResource).optional(), nextPageToken: z.string().optional() });
const operation = z.object({
  name: z.string().regex(/^operations\/[A-Za-z0-9._-]{1,200}$/),
  done: z.boolean().optional(),
  error: z.object({ code: z.int() }).optional(),
});
const keyString = z.object({ keyString: z.string().min(1) });

const tokenEndpoint = 'https://oauth2.googleapis.com/token';
/** A display name is too short for the longest of ours. */
const nameAnnotation = 'cordon-key';
/** An operation is asked about after 0.2 s, then twice as late each time: in all for less than a run of the function lasts, so that it can still give back its lease. */
const firstPollMs = 200;
const longestPollMs = 8_000;
const longestWaitMs = 40_000;

export interface GeminiDeps extends AdminDeps {
  /** Where Google gives out tokens. The documented endpoint when left out. */
  readonly tokenUrl?: string | undefined;
  readonly clock: Clock;
  /** How polling waits, in ms. */
  readonly wait?: ((ms: number) => Promise<unknown>) | undefined;
}

/**
 * Gemini: keys in one project of the platform's (at most 300 of them), named by an annotation and restricted to the Gemini API, because unrestricted ones are rejected. A key is made
 * and deleted in the background. A deleted one can be undeleted for 30 days, and its ID is not free meanwhile; it is refused all the same.
 *
 * The admin secret is `{"projectNumber", "clientEmail", "privateKey", "privateKeyId"?}`, the last three from the key file of a service account that may administer API keys there ("API Keys
 * Admin").
 * Source: API Keys API reference, `v2.projects.locations.keys`, `v2.operations`; Google Identity, "Using OAuth 2.0 for Server to Server Applications"; Gemini API, "Models: list".
 */
export function createGemini(deps: GeminiDeps): Provider {
  const send = createProviderHttp('gemini', deps.baseUrl ?? 'https://generativelanguage.googleapis.com', deps.fetchUrl);
  const sendAdmin = createProviderHttp('gemini', deps.adminBaseUrl ?? 'https://apikeys.googleapis.com', deps.fetchUrl);
  const tokens = createAccessTokens('gemini', deps);
  const wait = deps.wait ?? ((ms) => sleep(ms));

  const readSecret = async (): Promise<AdminSecret> => parseAdminSecret('gemini', adminSecret, await deps.adminKey());
  const admin: ProviderAdmin = createProviderAdmin('gemini', sendAdmin, async () => {
    const identity = await readSecret();
    return bearer(await tokens({ endpoint: deps.tokenUrl ?? tokenEndpoint, identity }, () => assertionOf(identity, deps.clock)));
  });
  const keysOf = (accountId: string): string => `/v2/projects/${accountId}/locations/global/keys`;

  /** Waits until an operation is done. @throws CordonError PROVIDER_UNAVAILABLE when it is not in time; what was begun is found by its name */
  async function settle(doing: string, begun: z.infer<typeof operation>): Promise<void> {
    let state = begun;
    let pause = firstPollMs;
    for (let waited = 0; state.done !== true; pause = Math.min(pause * 2, longestPollMs)) {
      if (waited >= longestWaitMs) throw new CordonError('PROVIDER_UNAVAILABLE', `gemini takes too long for ${doing}`, { retryable: true });
      await wait(pause);
      waited += pause;
      state = await admin.ask(doing, operation, { method: 'GET', path: `/v2/${begun.name}` });
    }
    const code = state.error?.code;
    if (code === undefined || code === 0) return;
    // google.rpc.Code: RESOURCE_EXHAUSTED 8, ABORTED 10, INTERNAL 13, UNAVAILABLE 14, DEADLINE_EXCEEDED 4.
    const passing = [4, 8, 10, 13, 14].includes(code);
    throw new CordonError(passing ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_REFUSED', `gemini failed at ${doing} (code ${code})`, {
      retryable: passing,
    });
  }

  const account = async (): Promise<{ accountId: string }> => ({ accountId: (await readSecret()).projectNumber });

  return {
    name: 'gemini',
    capabilities: { createKey: true, revoke: 'delete', rotation: 'overlap', usage: 'none' },
    findAccount: account,
    ensureAccount: account,

    async createKey({ accountId }, { tenantId, credentialId, attempt, stillWanted }) {
      const name = keyName(tenantId, credentialId, attempt);
      // The same attempt, asked for twice, is one key: Google refuses an ID that exists.
      const keyId = `k${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
      const body = {
        displayName: name.slice(0, 63),
        annotations: { [nameAnnotation]: name },
        restrictions: { apiTargets: [{ service: 'generativelanguage.googleapis.com' }] },
      };
      const asked = { method: 'POST', path: `${keysOf(accountId)}?keyId=${keyId}`, body, stillWanted } as const;
      const begun = await admin.ask('creating the key', operation, asked);
      await settle('creating the key', begun);
      const path = `${keysOf(accountId)}/${keyId}/keyString`;
      const made = await admin.ask('reading the key', keyString, { method: 'GET', path });
      return { keyId, name, ownerId: accountId, apiKey: new SecretText(made.keyString) };
    },

    async listKeys({ accountId }, tenantId, credentialId) {
      const doing = 'listing keys';
      const found = await collectPages<z.infer<typeof keyResource>, string>(
        'gemini',
        doing,
        async (token) => {
          const path = `${keysOf(accountId)}?pageSize=300${token === undefined ? '' : `&pageToken=${encodeURIComponent(token)}`}`;
          const page = await admin.ask(doing, keyPage, { method: 'GET', path });
          return { items: page.keys ?? [], next: page.nextPageToken || undefined };
        },
        (key) => (attemptOf(key.annotations?.[nameAnnotation] ?? '', tenantId, credentialId) === undefined ? 'skip' : 'keep'),
      );
      return found.map((key) => ({ keyId: key.name.slice(key.name.lastIndexOf('/') + 1), name: key.annotations?.[nameAnnotation] ?? '' }));
    },

    async revokeKey({ accountId }, keyId) {
      const path = `${keysOf(accountId)}/${encodeURIComponent(keyId)}`;
      const begun = await admin.find('revoking the key', operation, { method: 'DELETE', path });
      if (begun) await settle('revoking the key', begun);
    },

    ...createKeyCheck(
      'gemini',
      (apiKey) => send({ method: 'GET', path: '/v1beta/models?pageSize=1', headers: { 'x-goog-api-key': apiKey.reveal() } }),
      geminiVerdict,
    ),
  };
}

/** RFC 7523, section 2.1. The audience is Google's own address wherever the token is asked for. */
async function assertionOf(account: AdminSecret, clock: Clock): Promise<URLSearchParams> {
  const now = Math.floor(clock() / 1000);
  const key = await importPKCS8(account.privateKey, 'RS256').catch(() => {
    // The cause may tell of the key's text.
    throw new CordonError('PROVIDER_UNAVAILABLE', 'the admin secret of gemini is not in its form (wrong or missing: privateKey)', {
      retryable: true,
    });
  });
  const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/cloud-platform' })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.privateKeyId && { kid: account.privateKeyId }) })
    .setIssuer(account.clientEmail)
    .setAudience(tokenEndpoint)
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .sign(key);
  return new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
}
