/**
 * API Gateway's data plane for REST APIs on one loopback port: `http://127.0.0.1:{port}/{stage}/{path}`. Finds the method, asks its authorizer,
 * invokes its function as `apigateway.amazonaws.com` (the function's own policy decides) and brings the answer back. Not here: throttling, access
 * logs, tracing, caching of responses, custom domains, WAF, and the gateway's latency. Source: API Gateway Developer Guide.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Kernel } from '../core/service.ts';
import { evaluateExpression } from '../services/apigateway-expressions.ts';
import type { DeployedStage, Integration } from '../services/apigateway-model.ts';
import { createAuthorizers } from './authorize.ts';
import { type IntegrationCall, invokeBuffered, invokeStreaming } from './invoke-integration.ts';
import { matchRoute } from './match-route.ts';
import { isBinaryType, parseWhole } from './proxy-response.ts';
import { type GatewayRequest, readRequest, type TooLarge } from './read-request.ts';
import { Refusal, renderRefusal } from './refusal.ts';
import { newRequestIds, type RequestFacts, type RequestIds, requestFacts } from './request-context.ts';
import { sendStream, writeHead } from './send-response.ts';

export interface Gateway {
  /** `http://127.0.0.1:{port}`; a stage's paths begin with its name. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface GatewayOptions {
  readonly stagesNamed: (name: string) => readonly DeployedStage[];
  /** 0 picks a free one. */
  readonly port?: number;
  /** Gets one line (with the stack) for every defect of the gateway that a request has hit; goes to stderr by default. */
  readonly reportDefect?: (text: string) => void;
}

/** Rejects when the port is taken. */
export async function startGateway(kernel: Kernel, options: GatewayOptions): Promise<Gateway> {
  const { authorize } = createAuthorizers(kernel);
  const reportDefect = options.reportDefect ?? ((text: string) => process.stderr.write(`${text}\n`));

  const serve = async (
    request: GatewayRequest,
    tooLarge: TooLarge | undefined,
    response: ServerResponse,
    ids: RequestIds,
  ): Promise<void> => {
    const deployed = stageFor(options.stagesNamed(request.stageName), request);
    const headers = { 'x-amzn-RequestId': ids.requestId, 'x-amz-apigw-id': ids.extendedRequestId };
    if (deployed === undefined) {
      writeHead(response, { status: 403, headers: [['content-type', 'application/json']] }, headers);
      response.end('{"message":"Forbidden"}');
      return;
    }
    const { snapshot } = deployed;
    const route = matchRoute(snapshot.resources, request.path, request.method);
    const where = { region: kernel.region, now: kernel.clock.now(), route };
    let facts: RequestFacts = requestFacts(request, deployed, where, ids);
    try {
      // The documentation names the limit and no answer for it; this is the one HTTP has (RFC 6585).
      if (tooLarge === 'headers') throw new Refusal('DEFAULT_4XX', 'Request Header Fields Too Large', 431);
      if (tooLarge === 'body') throw new Refusal('REQUEST_TOO_LARGE', 'Request Too Long');
      const integration = route?.method?.integration;
      if (route?.method === undefined || integration === undefined)
        throw new Refusal('MISSING_AUTHENTICATION_TOKEN', 'Missing Authentication Token');
      const authorization = await authorize(deployed, route.method.authorizerId, facts);
      facts = requestFacts(request, deployed, { ...where, authorization }, ids);
      const isBinary = request.body.length > 0 && isBinaryType(snapshot.binaryMediaTypes, facts.header('content-type'));
      const call: IntegrationCall = {
        integration,
        accountId: deployed.api.accountId,
        sourceArn: `arn:aws:execute-api:${kernel.region}:${deployed.api.accountId}:${deployed.api.id}/${deployed.stage.name}/${request.method}${route.resource.path}`,
        tenantId: tenantOf(integration, facts),
        payload: JSON.stringify({
          ...facts.event,
          requestContext: facts.requestContext,
          body: request.body.length === 0 ? null : request.body.toString(isBinary ? 'base64' : 'utf8'),
          isBase64Encoded: isBinary,
        }),
      };
      if (integration.transferMode === 'STREAM') {
        await sendStream(response, await invokeStreaming(kernel, call), { timeoutMs: integration.timeoutMs, ids: headers });
        return;
      }
      const answer = parseWhole(await invokeBuffered(kernel, call), isBinaryType(snapshot.binaryMediaTypes, facts.header('accept')));
      writeHead(response, answer, headers);
      response.end(answer.body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const answer = renderRefusal(error, snapshot, facts);
      writeHead(response, { status: answer.status, headers: Object.entries(answer.headers) }, headers);
      response.end(answer.body);
    }
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const ids = newRequestIds();
    try {
      const { request, tooLarge } = await readRequest(incoming);
      await serve(request, tooLarge, response, ids);
    } catch (error) {
      if (incoming.destroyed && !incoming.complete) return;
      reportDefect(`local gateway: request ${ids.requestId} failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"Internal server error"}');
    }
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => void handle(incoming, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gateway has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** An API is told by its host name; where only one has a stage of that name, the host does not matter. */
function stageFor(stages: readonly DeployedStage[], { headers }: GatewayRequest): DeployedStage | undefined {
  const host = headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
  const named = stages.find(({ api }) => host.startsWith(`${api.id}.execute-api.`));
  return named ?? (stages.length === 1 ? stages[0] : undefined);
}

/** Only the mapping can name the tenant. Lambda refuses an invocation without one; a client that cannot be given one has asked wrongly. */
function tenantOf({ tenantId }: Integration, facts: RequestFacts): string | undefined {
  if (tenantId === undefined) return undefined;
  const value = evaluateExpression(tenantId, facts);
  if (value === undefined || value === '') throw new Refusal('BAD_REQUEST_PARAMETERS', 'The request names no tenant');
  return value;
}
