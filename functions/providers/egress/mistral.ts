import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** Source: Mistral AI API reference, "Chat", "FIM", "Agents", "Embeddings", "Classifiers", "OCR", "Models". */
export const mistral: EgressAdapter = defineAdapter({
  provider: 'mistral',
  host: 'api.mistral.ai',
  basePath: '/v1',
  paths: {
    prefix: 'v1',
    rules: [
      'GET v1/models',
      'GET v1/models/{model}',
      'POST v1/chat/completions',
      'POST v1/fim/completions',
      'POST v1/agents/completions',
      'POST v1/embeddings',
      'POST v1/moderations',
      'POST v1/chat/moderations',
      'POST v1/ocr',
    ],
    query: [],
  },
  authHeaders: (secret) => bearerHeader('mistral', secret),
});
