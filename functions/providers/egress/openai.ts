import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** Source: OpenAI API Reference, "Authentication", "Chat", "Responses", "Embeddings", "Models", "Images", "Audio", "Moderations". */
export const openai: EgressAdapter = defineAdapter({
  provider: 'openai',
  host: 'api.openai.com',
  basePath: '/v1',
  paths: {
    prefix: 'v1',
    // Nothing that is stored is read back (files, batches, threads, stored responses): another user of the tenant may have put it there.
    rules: [
      'GET v1/models',
      'GET v1/models/{model}',
      'POST v1/chat/completions',
      'POST v1/completions',
      'POST v1/responses',
      'POST v1/embeddings',
      'POST v1/moderations',
      'POST v1/images/generations',
      'POST v1/images/edits',
      'POST v1/audio/speech',
      'POST v1/audio/transcriptions',
      'POST v1/audio/translations',
    ],
    query: [],
  },
  callerHeaders: ['openai-beta'],
  authHeaders: (secret) => bearerHeader('openai', secret),
});
