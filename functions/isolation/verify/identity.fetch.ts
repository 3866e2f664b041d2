import { z } from 'zod';
import { CordonError } from '../../shared/errors.ts';
import { jsonIn } from '../../shared/json-in.ts';
import { SecretText } from '../../shared/secret-text.ts';
import { type CanaryIdentity, canaryIdentity, type Identities } from './identity.ts';

const tokenAnswer = z.object({ access_token: z.string().min(1).max(16_384) });
const timeoutMs = 10_000;

/**
 * @param deps.read the secret's text; undefined while it has none
 * @param deps.brokerUrl of the stack's own API, when the secret names no other
 */
export function createIdentities(deps: {
  readonly read: () => Promise<SecretText | undefined>;
  readonly brokerUrl: string;
  readonly fetchUrl?: typeof fetch;
}): Identities {
  const { fetchUrl = fetch } = deps;
  return {
    async token(canary) {
      const { tokenUrl, clients, audience, scope } = await identityOf(deps.read);
      const { clientId, clientSecret } = clients[canary];
      const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret });
      if (audience !== undefined) form.set('audience', audience);
      if (scope !== undefined) form.set('scope', scope);
      const answer = await send(fetchUrl, tokenUrl, form);
      const parsed = tokenAnswer.safeParse(jsonIn(answer.text));
      // Its words are not repeated: they may quote what was sent.
      if (!parsed.success) throw unavailable(`the identity provider gave canary ${canary.toUpperCase()} no token (HTTP ${answer.status})`);
      return new SecretText(parsed.data.access_token);
    },
    brokerUrl: async () => ((await identityOf(deps.read)).brokerUrl ?? deps.brokerUrl).replace(/\/+$/, ''),
  };
}

async function identityOf(read: () => Promise<SecretText | undefined>): Promise<CanaryIdentity> {
  const text = await read();
  if (text === undefined) throw unavailable('the secret of the canaries’ identity has no value yet: an operator has to put one there');
  const parsed = canaryIdentity.safeParse(jsonIn(text.reveal()));
  if (parsed.success) return parsed.data;
  throw unavailable('the secret of the canaries’ identity is not of the form that docs/isolation-tests.md describes');
}

async function send(
  fetchUrl: typeof fetch,
  url: string,
  body: URLSearchParams,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await fetchUrl(url, { method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    throw new CordonError('CANARY_UNAVAILABLE', 'the identity provider cannot be reached', { cause: error });
  }
}

function unavailable(message: string): CordonError {
  return new CordonError('CANARY_UNAVAILABLE', message);
}
