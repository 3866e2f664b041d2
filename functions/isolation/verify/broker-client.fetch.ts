import { z } from 'zod';
import { jsonIn } from '../../shared/json-in.ts';
import type { SecretText } from '../../shared/secret-text.ts';
import { canaryProvider } from '../canaries.ts';
import type { BrokerAnswer, BrokerClient, LoggedUse } from './broker-client.ts';

const timeoutMs = 15_000;
/** A header that the broker records as what the caller says of itself. */
const markerName = 'workflow-run';
/** The least that can be asked of the provider and counts against its limits: a few tokens. */
const smallest = { path: 'embeddings', body: { model: 'text-embedding-3-small', input: 'cordon' } };

const refusal = z.object({ error: z.object({ code: z.string().max(64) }) });
const entries = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      operation: z.string(),
      credentialId: z.string().optional(),
      credentialVersion: z.string().optional(),
      outcome: z.string(),
      asserted: z.record(z.string(), z.string()),
    }),
  ),
});

/** @param brokerUrl with its stage: `https://…/v1` */
export function createBrokerClient(brokerUrl: string, fetchUrl: typeof fetch = fetch): BrokerClient {
  const bearer = (token: SecretText | undefined): Record<string, string> =>
    token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
  return {
    async use(token, { environment, marker, headers }) {
      const answer = await asked(fetchUrl, `${brokerUrl}/proxy/${canaryProvider}/${smallest.path}`, {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/json', 'x-cordon-environment': environment, [`x-cordon-${markerName}`]: marker },
          ...bearer(token),
          ...headers,
        },
        body: JSON.stringify(smallest.body),
      });
      if (answer === undefined) return { status: 0 };
      const { status } = answer.response;
      const parsed = status < 400 ? undefined : refusal.safeParse(answer.json);
      return { status, code: parsed?.data?.error.code, limit: limitIn(answer.response.headers) };
    },
    async log(token) {
      const answer = await asked(fetchUrl, `${brokerUrl}/attribution?limit=200`, { headers: bearer(token) });
      const parsed = entries.safeParse(answer?.json);
      if (!parsed.success) return undefined;
      return parsed.data.entries
        .filter(({ operation }) => operation === 'provider.call')
        .map(({ asserted, ...entry }): LoggedUse => ({ ...entry, marker: asserted[markerName] }));
    },
  };
}

interface Answered {
  readonly response: Response;
  readonly json: unknown;
}

async function asked(fetchUrl: typeof fetch, url: string, init: RequestInit): Promise<Answered | undefined> {
  try {
    const response = await fetchUrl(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    return { response, json: jsonIn(await response.text()) };
  } catch {
    // No answer, whatever the reason: the check that asked says so.
    return undefined;
  }
}

/** Source: OpenAI API, "Rate limits", "Rate limits in headers". */
function limitIn(headers: Headers): BrokerAnswer['limit'] {
  const [limit, remaining] = ['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests'].map((name) => {
    const text = headers.get(name);
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  });
  return limit === undefined || remaining === undefined ? undefined : { limit, remaining };
}
