import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogField,
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  IdentitySource,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  RequestAuthorizer,
  ResponseTransferMode,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { defaultIdentityHeader, type IdentityHeader, proxyResources } from '../../functions/broker/identity-sources.ts';

export interface BrokerApiProps {
  /** Verifies the token in the one header a resource takes it from. */
  readonly authorizer: IFunction;
  /** Runs in one environment per tenant, and streams. */
  readonly broker: IFunction;
  /** Takes customers' own keys. */
  readonly door: IFunction;
  /** Answers what is on record. */
  readonly evidence: IFunction;
  /** Customers' connections, and the page to make them on. */
  readonly connections: IFunction;
  /** What tenants' administrators revoke. */
  readonly revocations: IFunction;
  /** What the isolation tests have found. */
  readonly isolation: IFunction;
  /** Serves the API's own description. */
  readonly description: IFunction;
}

/** What callers that could not be let in, or not be served, are told: one shape for all, and nothing that helps an intruder. */
const refusals: readonly { readonly type: ResponseType; readonly status: string; readonly code: string; readonly message: string }[] = [
  { type: ResponseType.UNAUTHORIZED, status: '401', code: 'TOKEN_REFUSED', message: 'The token was not accepted.' },
  { type: ResponseType.ACCESS_DENIED, status: '403', code: 'TOKEN_REFUSED', message: 'The token was not accepted.' },
  { type: ResponseType.AUTHORIZER_FAILURE, status: '503', code: 'UNAVAILABLE', message: 'Try again.' },
  { type: ResponseType.AUTHORIZER_CONFIGURATION_ERROR, status: '503', code: 'UNAVAILABLE', message: 'Try again.' },
  { type: ResponseType.MISSING_AUTHENTICATION_TOKEN, status: '404', code: 'NOT_FOUND', message: 'There is nothing at this path.' },
  { type: ResponseType.REQUEST_TOO_LARGE, status: '413', code: 'REQUEST_TOO_LARGE', message: 'The request is too large.' },
  { type: ResponseType.THROTTLED, status: '429', code: 'THROTTLED', message: 'Slow down and try again.' },
  { type: ResponseType.INTEGRATION_TIMEOUT, status: '504', code: 'TIMEOUT', message: 'No answer in time.' },
];
const others: readonly { readonly type: ResponseType; readonly code: string; readonly message: string }[] = [
  { type: ResponseType.DEFAULT_4XX, code: 'REQUEST_INVALID', message: 'The request is not valid.' },
  { type: ResponseType.DEFAULT_5XX, code: 'UNAVAILABLE', message: 'Try again.' },
];

/** The door to Cordon for agents and customers: `https://…/v1/…`. The tenant that a call runs as is mapped from the verified token, never from the client. */
export class BrokerApi extends Construct {
  readonly api: RestApi;

  constructor(parent: Construct, id: string, props: BrokerApiProps) {
    super(parent, id);
    const accessLog = new LogGroup(this, 'AccessLog', { retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    this.api = new RestApi(this, 'Api', {
      description: 'Cordon: calls to providers, customers’ keys, evidence',
      endpointTypes: [EndpointType.REGIONAL],
      // Bodies pass as they are, byte for byte.
      binaryMediaTypes: ['*/*'],
      cloudWatchRole: true,
      deployOptions: {
        stageName: 'v1',
        tracingEnabled: true,
        accessLogDestination: new LogGroupLogDestination(accessLog),
        // No header, no query, no body: a token or a key may be in any of them.
        accessLogFormat: AccessLogFormat.custom(
          JSON.stringify({
            requestId: AccessLogField.contextRequestId(),
            time: AccessLogField.contextRequestTime(),
            tenant: AccessLogField.contextAuthorizer('tenantId'),
            user: AccessLogField.contextAuthorizer('userId'),
            method: AccessLogField.contextHttpMethod(),
            resource: AccessLogField.contextResourcePath(),
            status: AccessLogField.contextStatus(),
            latency: AccessLogField.contextResponseLatency(),
          }),
        ),
      },
    });
    const json = (code: string, message: string): Record<string, string> => ({
      'application/json': JSON.stringify({ error: { code, message, requestId: '$context.requestId' } }),
    });
    for (const { type, status, code, message } of refusals) {
      this.api.addGatewayResponse(type.responseType, { type, statusCode: status, templates: json(code, message) });
    }
    for (const { type, code, message } of others) this.api.addGatewayResponse(type.responseType, { type, templates: json(code, message) });

    const authorizers = new Map<string, RequestAuthorizer>();
    /** Answers are kept by the value of the identity source: where two headers may hold the token there is none, and nothing is kept. */
    const authorizerFor = (headers: readonly IdentityHeader[]): RequestAuthorizer => {
      const name = headers.join('-or-');
      const known =
        authorizers.get(name) ??
        new RequestAuthorizer(this, `Authorizer-${name}`, {
          handler: props.authorizer,
          identitySources: headers.length === 1 ? headers.map((header) => IdentitySource.header(header)) : [],
          resultsCacheTtl: headers.length === 1 ? Duration.minutes(5) : Duration.seconds(0),
        });
      authorizers.set(name, known);
      return known;
    };
    const protectedBy = (headers: readonly IdentityHeader[]) => ({
      authorizer: authorizerFor(headers),
      authorizationType: AuthorizationType.CUSTOM,
    });

    const proxied = new LambdaIntegration(props.broker, {
      responseTransferMode: ResponseTransferMode.STREAM,
      timeout: Duration.minutes(15),
      requestParameters: { 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.tenantId' },
      allowTestInvoke: false,
      scopePermissionToMethod: false,
    });
    for (const { path, headers } of proxyResources) this.#at(path).addMethod('ANY', proxied, protectedBy(headers));

    const plain = (handler: IFunction) => new LambdaIntegration(handler, { allowTestInvoke: false, scopePermissionToMethod: false });
    const own = protectedBy([defaultIdentityHeader]);
    this.#at('/credentials/public-key').addMethod('GET', plain(props.door), own);
    this.#at('/credentials/{credentialId}/secret').addMethod('POST', plain(props.door), own);
    this.#at('/attribution').addMethod('GET', plain(props.evidence), own);
    for (const method of ['GET', 'POST']) this.#at('/connections').addMethod(method, plain(props.connections), own);
    this.#at('/connections/{accountId}').addMethod('DELETE', plain(props.connections), own);
    for (const method of ['GET', 'POST']) this.#at('/revocations').addMethod(method, plain(props.revocations), own);
    for (const path of ['/revocations/{revocationId}', '/revocations/{revocationId}/certificate'])
      this.#at(path).addMethod('GET', plain(props.revocations), own);
    for (const method of ['GET', 'POST']) this.#at('/isolation').addMethod(method, plain(props.isolation), own);
    this.#at('/isolation/{verificationId}').addMethod('GET', plain(props.isolation), own);
    // The page itself is everyone's; what it shows comes from the protected paths.
    const open = { authorizationType: AuthorizationType.NONE };
    for (const path of ['/byoc', '/byoc.js']) this.#at(path).addMethod('GET', plain(props.connections), open);
    this.#at('/openapi.yaml').addMethod('GET', plain(props.description), open);
  }

  #at(path: string): IResource {
    return path
      .split('/')
      .slice(1)
      .reduce<IResource>((parent, part) => parent.getResource(part) ?? parent.addResource(part), this.api.root);
  }
}
