import type { AwsScope, CredentialSettings, EgressAdapter } from '../egress-adapter.ts';
import { readUsage } from '../usage-reader.ts';
import { readEventStream } from '../usage-reader-event-stream.ts';
import { defineAdapter, settingOf } from './adapter.ts';
import { awsSignature } from './aws-signature.ts';
import { bearerHeader } from './bearer.ts';

const regionPattern = /^[a-z]{2}(-[a-z]+){1,2}-\d$/;
const regionOf = (settings: CredentialSettings): string => settingOf('bedrock', settings, 'region', regionPattern);
const scopeOf = (settings: CredentialSettings): AwsScope => ({ service: 'bedrock', region: regionOf(settings) });

/**
 * Source: Amazon Bedrock API Reference, "Actions: Amazon Bedrock Runtime"; User Guide, "Use an Amazon Bedrock API key" (Bearer). Asynchronous invocations are left out: their
 * answers are stored. So are model ARNs: they would need an encoded slash, and an inference profile has an ID without one.
 */
export const bedrock: EgressAdapter = defineAdapter({
  provider: 'bedrock',
  host: (settings) => `bedrock-runtime.${regionOf(settings)}.amazonaws.com`,
  paths: {
    rules: [
      'POST model/{model}/invoke',
      'POST model/{model}/invoke-with-response-stream',
      'POST model/{model}/converse',
      'POST model/{model}/converse-stream',
      'POST model/{model}/count-tokens',
      'POST openai/v1/chat/completions',
      'GET openai/v1/models',
    ],
    query: [],
    // As AWS's own clients write it: what is signed is this path encoded once more (IAM User Guide, "Create a canonical request").
    write: encodeURIComponent,
  },
  callerHeaders: [
    'x-amzn-bedrock-accept',
    'x-amzn-bedrock-guardrailidentifier',
    'x-amzn-bedrock-guardrailversion',
    'x-amzn-bedrock-performanceconfig-latency',
    'x-amzn-bedrock-trace',
  ],
  authHeaders(secret, request, settings) {
    return secret.kind === 'aws-session'
      ? awsSignature(secret, request, scopeOf(settings), ['content-type'])
      : bearerHeader('bedrock', secret);
  },
  scope: scopeOf,
  usage(contentType, headers = {}) {
    const counted = { inputTokenCount: numberOf(headers, 'input'), outputTokenCount: numberOf(headers, 'output') };
    if (counted.inputTokenCount !== undefined || counted.outputTokenCount !== undefined) {
      const usage = { inputTokens: counted.inputTokenCount ?? 0, outputTokens: counted.outputTokenCount ?? 0 };
      return { push: () => undefined, end: () => usage };
    }
    return contentType.startsWith('application/vnd.amazon.eventstream') ? readEventStream() : readUsage(contentType);
  },
});

/** InvokeModel counts in headers. Source: Amazon Bedrock API Reference, InvokeModel, "Response Syntax". */
function numberOf(headers: NonNullable<Parameters<EgressAdapter['usage']>[1]>, which: 'input' | 'output'): number | undefined {
  const value = headers[`x-amzn-bedrock-${which}-token-count`];
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}
