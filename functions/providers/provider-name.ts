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
  // A database: its connection string is kept, and nothing is ever forwarded to it.
  'postgres',
  // AWS APIs other than Bedrock, in a customer's own account.
  'aws',
]);
export type ProviderName = z.infer<typeof providerName>;

/** Those that events may ask for a credential of. `aws` takes no key: an account is connected by a role that its owner makes. */
export const askedProviderName = providerName.exclude(['aws']);

/** Those that the broker forwards calls to: a database speaks no HTTP, and has no adapter. */
export type EgressProvider = Exclude<ProviderName, 'postgres'>;
