import { CordonError } from '../../shared/errors.ts';
import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

const verbs = ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent', 'batchEmbedContents', 'predict'] as const;
const versions = ['v1beta', 'v1'] as const;

/**
 * Source: Gemini API reference, "Generating content", "Tokens", "Embeddings", "Models", "Imagen". The key goes into `x-goog-api-key`, never into `?key=`, where logs keep it.
 * Files, cached contents, corpora and tuned models are left out: they are stored.
 */
export const gemini: EgressAdapter = defineAdapter({
  provider: 'gemini',
  host: 'generativelanguage.googleapis.com',
  paths: {
    verbs: true,
    rules: versions.flatMap((version) => [
      `GET ${version}/models` as const,
      `GET ${version}/models/{model}` as const,
      ...verbs.map((verb) => `POST ${version}/models/{model}:${verb}` as const),
    ]),
    query: ['alt', 'pageSize', 'pageToken'],
  },
  callerHeaders: ['x-goog-api-client'],
  authHeaders(secret) {
    if (secret.kind === 'api-key') return { 'x-goog-api-key': secret.apiKey.reveal() };
    if (secret.kind === 'bearer') return bearerHeader('gemini', secret);
    throw new CordonError('EGRESS_NOT_CONFIGURED', 'gemini takes no AWS session');
  },
});
