import { anthropic } from './egress/anthropic.ts';
import { aws } from './egress/aws.ts';
import { azureOpenai } from './egress/azure-openai.ts';
import { bedrock } from './egress/bedrock.ts';
import { cohere } from './egress/cohere.ts';
import { gemini } from './egress/gemini.ts';
import { groq } from './egress/groq.ts';
import { mistral } from './egress/mistral.ts';
import { openai } from './egress/openai.ts';
import { openrouter } from './egress/openrouter.ts';
import { selfHosted } from './egress/self-hosted.ts';
import { vertex } from './egress/vertex.ts';
import type { EgressAdapter } from './egress-adapter.ts';
import type { EgressProvider } from './provider-name.ts';

/** Every provider that may be used through the broker. */
export const egressAdapters: Readonly<Record<EgressProvider, EgressAdapter>> = {
  openai,
  anthropic,
  'azure-openai': azureOpenai,
  bedrock,
  gemini,
  vertex,
  mistral,
  cohere,
  groq,
  openrouter,
  'self-hosted': selfHosted,
  aws,
};

/** The adapter for a name out of a request's path; undefined for any other text, also for what every object has (`constructor`). */
export function egressAdapterOf(name: string): EgressAdapter | undefined {
  return Object.values(egressAdapters).find((adapter) => adapter.provider === name);
}
