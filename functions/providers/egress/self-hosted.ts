import { CordonError } from '../../shared/errors.ts';
import type { CredentialSettings, EgressAdapter } from '../egress-adapter.ts';
import { isPublicHostName } from '../host-name.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** The host that the credential registers, with its port when it is not 443. */
function hostOf({ host, port = 443 }: CredentialSettings): string {
  if (host === undefined || !isPublicHostName(host)) {
    throw new CordonError(
      'EGRESS_NOT_CONFIGURED',
      'the credential for self-hosted needs the setting host: the DNS name of a public server',
    );
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CordonError('EGRESS_NOT_CONFIGURED', 'the setting port is no TCP port');
  return port === 443 ? host : `${host}:${port}`;
}

/** An OpenAI-compatible server of the customer's (vLLM, Ollama, LiteLLM and others document these paths). */
export const selfHosted: EgressAdapter = defineAdapter({
  provider: 'self-hosted',
  host: hostOf,
  basePath: '/v1',
  paths: {
    prefix: 'v1',
    rules: [
      'GET v1/models',
      'GET v1/models/{model}',
      'POST v1/chat/completions',
      'POST v1/completions',
      'POST v1/responses',
      'POST v1/embeddings',
    ],
    query: [],
  },
  authHeaders: (secret) => bearerHeader('self-hosted', secret),
});
