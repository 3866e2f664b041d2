import { z } from 'zod';

/** Providers a credential may be for. Which of them Cordon can make keys at is decided by the adapters it runs with. */
export const providerName = z.enum([
  'openai',
  'anthropic',
  'azure-openai',
  'bedrock',
  'gemini',
  'vertex',
  'mistral',
  'cohere',
  'groq',
  'openrouter',
  'self-hosted',
]);
export type ProviderName = z.infer<typeof providerName>;
