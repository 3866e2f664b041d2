import { CordonError } from '../../shared/errors.ts';
import type { EgressAdapter } from '../egress-adapter.ts';
import { defineAdapter, settingOf } from './adapter.ts';
import { bearerHeader } from './bearer.ts';

/**
 * Source: Azure OpenAI REST API reference (data plane, inference) and "v1 API": `https://{resource}.openai.azure.com/openai/…`, header `api-key`, or a
 * Microsoft Entra token as Bearer.
 */
export const azureOpenai: EgressAdapter = defineAdapter({
  provider: 'azure-openai',
  host: (settings) => `${settingOf('azure-openai', settings, 'resource', /^[a-z0-9][a-z0-9-]{0,62}$/)}.openai.azure.com`,
  paths: {
    prefix: 'openai',
    rules: [
      'POST openai/deployments/{deployment}/chat/completions',
      'POST openai/deployments/{deployment}/completions',
      'POST openai/deployments/{deployment}/embeddings',
      'POST openai/deployments/{deployment}/images/generations',
      'POST openai/deployments/{deployment}/audio/speech',
      'POST openai/deployments/{deployment}/audio/transcriptions',
      'POST openai/deployments/{deployment}/audio/translations',
      'POST openai/responses',
      'GET openai/models',
      'GET openai/models/{model}',
      'POST openai/v1/chat/completions',
      'POST openai/v1/responses',
      'POST openai/v1/embeddings',
      'GET openai/v1/models',
      'GET openai/v1/models/{model}',
    ],
    query: ['api-version'],
  },
  callerHeaders: ['x-ms-client-request-id'],
  authHeaders(secret) {
    if (secret.kind === 'api-key') return { 'api-key': secret.apiKey.reveal() };
    if (secret.kind === 'bearer') return bearerHeader('azure-openai', secret);
    throw new CordonError('EGRESS_NOT_CONFIGURED', 'azure-openai takes no AWS session');
  },
});
