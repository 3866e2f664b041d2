/** Uses of a customer's account through the broker, and what is seen of them there. */
import type { JournalEntry } from '../../local/core/journal.ts';
import type { ProviderRequest } from '../../local/world/request-record.ts';
import type { TestCloud } from './cloud.ts';

export const claude = 'anthropic.claude-sonnet-4-20250514-v1:0';

export interface BedrockAsk {
  /** `converse` when left out. */
  readonly operation?: 'converse' | 'converse-stream' | 'invoke' | 'invoke-with-response-stream';
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A prompt to Bedrock through the broker. */
export function askBedrock(test: TestCloud, token: string, ask: BedrockAsk = {}): Promise<Response> {
  const { operation = 'converse', model = claude, headers, signal } = ask;
  const body = operation.startsWith('converse')
    ? { messages: [{ role: 'user', content: [{ text: 'one two' }] }] }
    : { anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages: [{ role: 'user', content: 'one two' }] };
  return fetch(`${test.cloud.brokerUrl}/v1/proxy/bedrock/model/${encodeURIComponent(model)}/${operation}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

/** What DynamoDB and SQS are asked, as their JSON protocols write it. */
export function askAws(
  test: TestCloud,
  token: string,
  { service, region = 'us-east-1', target, body }: { service: string; region?: string; target: string; body: object },
): Promise<Response> {
  return fetch(`${test.cloud.brokerUrl}/v1/proxy/aws/${service}/${region}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
    body: JSON.stringify(body),
  });
}

/** An object through the broker. */
export function askObject(test: TestCloud, token: string, path: string, region = 'us-east-1'): Promise<Response> {
  return fetch(`${test.cloud.brokerUrl}/v1/proxy/aws/s3/${region}/${path}`, { headers: { authorization: `Bearer ${token}` } });
}

/** Every request that any provider has got, by anybody. */
export function requestsAnywhere({ cloud }: TestCloud): readonly ProviderRequest[] {
  return Object.values(cloud.world.simulators).flatMap((simulator) => simulator.requests());
}

/** What Bedrock was asked in the name of an account. */
export function bedrockRequestsOf({ cloud }: TestCloud, accountId: string): readonly ProviderRequest[] {
  return (cloud.world.simulators['bedrock']?.requests() ?? []).filter((request) => request.accountId === accountId);
}

/** What principals of an account have asked of AWS since. */
export function doneBy({ cloud }: TestCloud, accountId: string, since = 0): readonly JournalEntry[] {
  return cloud.journal.since(since).filter(({ principal }) => principal.split(':')[4] === accountId);
}
