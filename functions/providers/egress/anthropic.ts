import { CordonError } from '../../shared/errors.ts';
import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';

const defaultVersion = '2023-06-01';
/** Demanded with a token from workload identity federation. Source: Claude docs, "Workload identity federation". */
const tokenBeta = 'oauth-2025-04-20';

/** Source: Claude API reference, "Messages", "Count tokens", "Models", "API versions". Batches and files are left out: they are stored and read back. */
export const anthropic: EgressAdapter = defineAdapter({
  provider: 'anthropic',
  host: 'api.anthropic.com',
  paths: {
    prefix: 'v1',
    rules: ['POST v1/messages', 'POST v1/messages/count_tokens', 'POST v1/complete', 'GET v1/models', 'GET v1/models/{model}'],
    query: ['after_id', 'before_id', 'beta', 'limit'],
  },
  callerHeaders: ['anthropic-version', 'anthropic-beta'],
  authHeaders(secret, request) {
    const version = { 'anthropic-version': request.headers['anthropic-version'] ?? defaultVersion };
    if (secret.kind === 'api-key') return { ...version, 'x-api-key': secret.apiKey.reveal() };
    if (secret.kind !== 'bearer') throw new CordonError('EGRESS_NOT_CONFIGURED', 'anthropic takes no AWS session');
    const betas = new Set((request.headers['anthropic-beta'] ?? '').split(',').map((name) => name.trim()));
    betas.delete('');
    return { ...version, authorization: `Bearer ${secret.token.reveal()}`, 'anthropic-beta': [...betas.add(tokenBeta)].join(',') };
  },
});
