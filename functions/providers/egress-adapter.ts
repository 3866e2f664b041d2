/**
 * The broker's half of a provider: where a use may go, which credential header it gets, what of the answer is counted.
 * Nothing here is loaded with a library: the broker's import time is part of every cold start.
 */
import type { ServiceName } from '../byoc/service-name.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { EgressProvider } from './provider-name.ts';

/** What a credential says beyond its secret: where the provider is reached and, for a federated one, whom its tokens stand for. No secret. */
export interface CredentialSettings {
  /** Azure OpenAI: name of the resource, the first label of `{resource}.openai.azure.com`. */
  readonly resource?: string | undefined;
  /** Bedrock: AWS region, e.g. `eu-central-1`. */
  readonly region?: string | undefined;
  /** Vertex: Google Cloud project ID. */
  readonly project?: string | undefined;
  /** Vertex: location, e.g. `europe-west4` or `global`. */
  readonly location?: string | undefined;
  /** Self-hosted: DNS name of an OpenAI-compatible server reached over https. */
  readonly host?: string | undefined;
  /** Self-hosted: TCP port, 443 when left out. */
  readonly port?: number | undefined;
  /** Federated: `aud` of the identity token that is exchanged. */
  readonly audience?: string | undefined;
  /** Federated, OpenAI: the identity provider registered there. */
  readonly identityProviderId?: string | undefined;
  /** Federated: the service account that tokens are issued to. */
  readonly serviceAccountId?: string | undefined;
  /** Federated, Anthropic: the rule that maps the identity token. */
  readonly federationRuleId?: string | undefined;
  /** Federated, Anthropic. */
  readonly organizationId?: string | undefined;
  /** Federated, Anthropic. */
  readonly workspaceId?: string | undefined;
  /** AWS: the regions of a customer's account that may be used. */
  readonly regions?: readonly string[] | undefined;
  /** AWS: the services there, e.g. `dynamodb`. */
  readonly services?: readonly string[] | undefined;
  /** Of a supplied secret: the KMS key of the customer's own account that it lies under. */
  readonly kmsKeyArn?: string | undefined;
}

/** What is injected. `bearer` is a token minted for a while (federation, OAuth); `aws-session` signs instead of being sent. */
export type InjectedSecret =
  | { readonly kind: 'api-key'; readonly apiKey: SecretText }
  | { readonly kind: 'bearer'; readonly token: SecretText }
  | {
      readonly kind: 'aws-session';
      readonly accessKeyId: string;
      readonly secretAccessKey: SecretText;
      readonly sessionToken: SecretText;
    };

/** The one AWS service in the one region that a use is for: what it is signed for, and what a customer's session is narrowed to. */
export interface AwsScope {
  readonly service: ServiceName;
  /** e.g. `eu-central-1`. */
  readonly region: string;
}

/** Where a use goes. */
export interface EgressTarget {
  readonly url: URL;
  /** Only of providers that take an AWS session. */
  readonly scope?: AwsScope | undefined;
}

/** A use as the caller asked for it. */
export interface EgressRequest {
  /** Upper case. */
  readonly method: string;
  /** What follows `/proxy/{provider}/`, still percent-encoded, without a leading slash: the path on the provider's host. */
  readonly path: string;
  /** Without the leading `?`; empty when there is none. */
  readonly query: string;
}

/** Lower-case names; a header given more than once is joined by `, `. */
export type HeaderMap = Readonly<Record<string, string>>;

/** The request about to be sent, for signatures and for headers that are merged with the caller's. */
export interface OutgoingRequest {
  readonly method: string;
  /** Final: with the base URL of development, if one is in force. */
  readonly url: URL;
  /** What `upstreamHeaders` left of the caller's. */
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
  /** The target's. */
  readonly scope?: AwsScope | undefined;
}

/** Tokens as the provider counts them, those read from and written to its caches included. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Sees the answer's bytes as they pass (uncompressed) and keeps only what usage is read from. Never throws: an answer that can't be read has no usage. */
export interface UsageReader {
  push(chunk: Uint8Array): void;
  /** After the last chunk. Undefined when the provider said nothing. */
  end(): TokenUsage | undefined;
}

export interface EgressAdapter {
  readonly provider: EgressProvider;
  /** The first part of its paths that a base URL of development stands in for together with the host, e.g. `/v1`; may be empty. */
  readonly basePath: string;
  /**
   * The exact hosts (with the port, when it is not 443) that this credential may be sent to.
   *
   * @throws CordonError EGRESS_NOT_CONFIGURED when a setting is missing or malformed
   */
  hosts(settings: CredentialSettings): readonly string[];
  /**
   * The URL for a request below `/proxy/{provider}/`; undefined when method, path or query is not among the documented uses.
   *
   * @param baseUrl stands in for `https://{host}{basePath}`: a simulator of the local cloud
   * @throws CordonError EGRESS_NOT_CONFIGURED as `hosts` does
   */
  target(request: EgressRequest, settings: CredentialSettings, baseUrl?: string): EgressTarget | undefined;
  /** Names of caller's headers that may pass besides the common ones (`egress-headers.ts`), lower case. */
  readonly callerHeaders: readonly string[];
  /**
   * Headers to lay over what `upstreamHeaders` left: the credential, and what the provider demands.
   *
   * @throws CordonError EGRESS_NOT_CONFIGURED for a kind of secret that the provider does not take; PATH_NOT_ALLOWED where a header names what is done, and that
   *   is not among the documented uses
   */
  authHeaders(secret: InjectedSecret, request: OutgoingRequest, settings: CredentialSettings): Record<string, string>;
  /** @param headers of the answer; Bedrock counts tokens there */
  usage(contentType: string, headers?: Readonly<Record<string, string | readonly string[] | undefined>>): UsageReader;
}

/** Every text that must not come back in an answer. An access key ID is a name, no secret. */
export function secretTexts(secret: InjectedSecret): readonly string[] {
  switch (secret.kind) {
    case 'api-key':
      return [secret.apiKey.reveal()];
    case 'bearer':
      return [secret.token.reveal()];
    case 'aws-session':
      return [secret.secretAccessKey.reveal(), secret.sessionToken.reveal()];
  }
}
