import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** Source: Cohere API reference v2 and v1: Chat, Embed, Rerank, Classify, Tokenize, Models. */
export const cohere: EgressAdapter = defineAdapter({
  provider: 'cohere',
  host: 'api.cohere.com',
  paths: {
    rules: [
      'POST v2/chat',
      'POST v2/embed',
      'POST v2/rerank',
      'POST v1/chat',
      'POST v1/embed',
      'POST v1/rerank',
      'POST v1/classify',
      'POST v1/tokenize',
      'POST v1/detokenize',
      'GET v1/models',
      'GET v1/models/{model}',
    ],
    query: ['page_size', 'page_token', 'endpoint', 'default_only'],
  },
  callerHeaders: ['x-client-name'],
  authHeaders: (secret) => bearerHeader('cohere', secret),
});
