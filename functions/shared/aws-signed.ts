/**
 * Calls AWS without an SDK client: one synchronous signature, one request over a kept connection. For functions where the SDK's import time and its 270 µs per call
 * would be most of the work. Errors carry AWS's code as their name, as the SDK's do, so that `aws()` and `isAwsError()` read both.
 */
import type { AwsAnswer } from './aws-signed-answer.ts';
import { type Connections, createConnections } from './aws-signed-connections.ts';
import { createSign, type SigningCredentials } from './aws-signed-signature.ts';

export type { SigningCredentials };

export interface SignedCall {
  readonly service: 'dynamodb' | 'kms' | 'lambda' | 'secretsmanager' | 'sts' | 'tagging';
  /** @default `/` */
  readonly path?: string;
  /** Names in lower case. The same object each time, where calls have the same ones: what is signed is put together once for all of them. */
  readonly headers: Readonly<Record<string, string>>;
  /** ASCII: then it is its own bytes, and its length theirs. */
  readonly body: string;
  /** From the first byte sent to the last one received, in milliseconds. */
  readonly timeoutMs: number;
}

/** Resolves with any answer, also one that is an error; rejects with an Error without status when there is none. All calls made so may be carried out twice. */
export type SendSigned = (credentials: SigningCredentials, call: SignedCall) => Promise<AwsAnswer>;

/** What AWS answered instead of a result. `name` is its error code; `message` is AWS's own and may name ARNs: it is for `cause`, not for callers. */
export class AwsCallError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = code;
    this.$metadata = { httpStatusCode: status };
  }
}

/**
 * @param endpoint where AWS is, e.g. `http://127.0.0.1:4566`; undefined for AWS itself
 */
export function createSignedSender({ region, endpoint }: { region: string; endpoint: string | undefined }): SendSigned {
  const sign = createSign();
  const places = new Map<string, { readonly host: string; readonly connections: Connections }>();

  function placeOf(service: string): { readonly host: string; readonly connections: Connections } {
    const known = places.get(service);
    if (known !== undefined) return known;
    const url = new URL(endpoint ?? `https://${service}.${region}.amazonaws.com`);
    const secure = url.protocol === 'https:';
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    const made = { host: url.host, connections: createConnections({ host: url.hostname.replace(/^\[|\]$/g, ''), port, secure }) };
    places.set(service, made);
    return made;
  }

  return async (credentials, { service, path = '/', headers, body, timeoutMs }) => {
    const { host, connections } = placeOf(service);
    return connections.exchange(sign(credentials, { service, region, path, host, headers, body, now: Date.now() }), timeoutMs);
  };
}
