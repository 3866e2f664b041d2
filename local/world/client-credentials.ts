/**
 * Tokens for clients in their own name, as the platform's identity provider gives them to its workloads. Source: RFC 6749, sections 4.4 (client credentials), 2.3.1
 * (`client_id` and `client_secret` in the body), 5.1 and 5.2 (answers).
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody, sendJson } from './http.ts';

interface Client {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

interface TokenEndpoint {
  clientOf(tenantId: string): Client;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Secrets of clients, and the tokens they got. */
  plantedSecrets(): readonly string[];
}

export function createTokenEndpoint(deps: { lifetimeSeconds: number; mint: (client: Client) => Promise<string> }): TokenEndpoint {
  const clients = new Map<string, Client>();
  const issued: string[] = [];
  const refuse = (response: ServerResponse, status: number, error: string): void => sendJson(response, status, { error });
  return {
    clientOf(tenantId) {
      const known = clients.get(tenantId) ?? {
        ...{ tenantId, clientId: `client-of-${tenantId}`, clientSecret: randomBytes(32).toString('base64url') },
      };
      clients.set(tenantId, known);
      return known;
    },
    async handle(request, response) {
      const form = new URLSearchParams((await readBody(request)).toString('utf8'));
      if (form.get('grant_type') !== 'client_credentials') return refuse(response, 400, 'unsupported_grant_type');
      const client = [...clients.values()].find(({ clientId }) => clientId === form.get('client_id'));
      if (client === undefined || client.clientSecret !== form.get('client_secret')) return refuse(response, 401, 'invalid_client');
      const access_token = await deps.mint(client);
      issued.push(access_token);
      const answer = { access_token, token_type: 'Bearer', expires_in: deps.lifetimeSeconds };
      sendJson(response, 200, answer, { 'cache-control': 'no-store' });
    },
    plantedSecrets: () => [...[...clients.values()].map(({ clientSecret }) => clientSecret), ...issued],
  };
}
