import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** Source: OpenRouter API reference, "Chat completion", "Completion", "Responses", "Embeddings", "List models". Keys, credits and past generations are left out. */
export const openrouter: EgressAdapter = defineAdapter({
  provider: 'openrouter',
  host: 'openrouter.ai',
  basePath: '/api/v1',
  paths: {
    prefix: 'api/v1',
    rules: [
      'GET api/v1/models',
      'GET api/v1/models/{author}/{slug}/endpoints',
      'POST api/v1/chat/completions',
      'POST api/v1/completions',
      'POST api/v1/responses',
      'POST api/v1/embeddings',
    ],
    query: ['category', 'supported_parameters'],
  },
  // Names the calling application in OpenRouter's rankings.
  callerHeaders: ['http-referer', 'x-title'],
  authHeaders: (secret) => bearerHeader('openrouter', secret),
});
