import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/** Source: Groq API reference, "Chat", "Responses", "Audio", "Models". Model names may have a slash in them. */
export const groq: EgressAdapter = defineAdapter({
  provider: 'groq',
  host: 'api.groq.com',
  basePath: '/openai/v1',
  paths: {
    prefix: 'openai/v1',
    rules: [
      'GET openai/v1/models',
      'GET openai/v1/models/{model}',
      'GET openai/v1/models/{publisher}/{model}',
      'POST openai/v1/chat/completions',
      'POST openai/v1/responses',
      'POST openai/v1/embeddings',
      'POST openai/v1/audio/speech',
      'POST openai/v1/audio/transcriptions',
      'POST openai/v1/audio/translations',
    ],
    query: [],
  },
  authHeaders: (secret) => bearerHeader('groq', secret),
});
